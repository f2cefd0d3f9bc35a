/* SPDX-License-Identifier: MIT */
/*
 * How long the kernel read the partitions of a disk. Its first piece, " sda:", is written before, the rest, " sda1
 * sda2", after: where another message came between, as on old kernels with several processors, both have a time.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "klog.h"

/* The bytes of a disk's name at @text, as the kernel gives it; 0: it is none. */
static size_t disk_bytes(const char *text)
{
	static const char *const kinds[] = {"sd", "hd", "vd", "xvd", "nvme", "mmcblk"};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t bytes = strlen(kinds[i]);

		if (strncmp(text, kinds[i], bytes) != 0 || !isalnum((unsigned char)text[bytes]))
			continue;
		while (islower((unsigned char)text[bytes]) || isdigit((unsigned char)text[bytes]))
			bytes++;
		return bytes;
	}
	return 0;
}

static bool is_blank(const char *text, size_t bytes)
{
	return strspn(text, " ") >= bytes;
}

/* "sda:" and no more */
static const char *opening(const char *text, size_t bytes)
{
	size_t name = disk_bytes(text);

	if (!name || bytes <= name || text[name] != ':' || !is_blank(text + name + 1, bytes - name - 1))
		return NULL;
	return keep_part(text, name);
}

/* "sda1 sda2 <" and the like */
static bool goes_on(const char *text, size_t bytes, const char *disk)
{
	size_t name = strlen(disk);

	if (bytes <= name || strncmp(text, disk, name) != 0)
		return false;
	text += name;
	text += *text == 'p';
	return isdigit((unsigned char)*text);
}

bool klog_has_partitions(const struct input *input, const char *line)
{
	size_t bytes = strlen(line);

	while (bytes && line[bytes - 1] == ' ')
		bytes--;
	return (bytes && line[bytes - 1] == ':') || (input->disk && strstr(line, input->disk));
}

void klog_partitions(struct input *input, const struct stamp *stamp, const char *text, size_t bytes)
{
	size_t spaces = strspn(text, " ");
	const char *disk;
	char name[96];

	spaces = spaces < bytes ? spaces : bytes;
	text += spaces;
	bytes -= spaces;
	disk = opening(text, bytes);
	if (!clock_is_exact(stamp) || (!disk && !(input->disk && goes_on(text, bytes, input->disk))))
		return;
	if (!disk) {
		snprintf(name, sizeof(name), "partitions of %.64s", input->disk);
		*APPEND(input->records, input->count) = (struct record){.type = ASYNC_TRACE_CALLED,
									.t_ns = clock_time(&input->clock, stamp),
									.tid = stamp->tid,
									.name = keep(name),
									.since_ns = input->disk_ns};
	}
	input->disk = disk ? disk : input->disk;
	input->disk_ns = clock_time(&input->clock, stamp);
}
