/* SPDX-License-Identifier: MIT */
/*
 * Microcode of the processor. The kernel applies it before it unpacks anything, so it reads it from an uncompressed
 * archive at the very start of the image: one file a vendor, all updates one after the other.
 */
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct cpu {
	char vendor[32];
	unsigned int family, model, stepping;
	bool guest; /* of a hypervisor, which lets no one update anything */
};

static void read_line(struct cpu *cpu, const char *line)
{
	if (!*cpu->vendor && sscanf(line, "vendor_id : %31s", cpu->vendor) == 1)
		return;
	if (sscanf(line, "cpu family : %u", &cpu->family) == 1 || sscanf(line, "model : %u", &cpu->model) == 1 ||
	    sscanf(line, "stepping : %u", &cpu->stepping) == 1)
		return;
	if (!strncmp(line, "flags", 5) && strstr(line, " hypervisor"))
		cpu->guest = true;
}

static int read_cpu(struct cpu *cpu)
{
	FILE *info = fopen("/proc/cpuinfo", "re");
	char *line = NULL;
	size_t room = 0;

	*cpu = (struct cpu){.family = 0};
	if (!info)
		return fail("cannot read /proc/cpuinfo: %s; say '--microcode no' or 'all'", strerror(errno));
	while (getline(&line, &room, info) > 1) /* the first processor ends with an empty line */
		read_line(cpu, line);
	free(line);
	fclose(info);
	return 0;
}

static int append(int to, const char *path)
{
	int from = open(path, O_RDONLY | O_CLOEXEC), result = 0;
	char buffer[65536];
	ssize_t got = -1;

	while (from >= 0 && !result && (got = read(from, buffer, sizeof(buffer))) > 0)
		if (write(to, buffer, (size_t)got) != got)
			result = fail("cannot write microcode to a temporary file: %s", strerror(errno));
	if (!result && got < 0)
		result = fail("cannot read '%s': %s", path, strerror(errno));
	if (from >= 0)
		close(from);
	return result;
}

/* Adds the files that match, joined, as the vendor's. Sorted: the same files give the same bytes. */
static int add_vendor(struct tree *early, const struct stage *stage, const char *vendor, const char *pattern)
{
	glob_t matches;
	char *joined, *place;
	int result = 0, fd;

	if (glob(pattern, 0, NULL, &matches))
		return 0;
	joined = text("%s/%s.bin", stage->path, vendor);
	place = text("/kernel/x86/microcode/%s.bin", vendor);
	fd = open(joined, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		result = fail("cannot make '%s': %s", joined, strerror(errno));
	for (size_t i = 0; !result && i < matches.gl_pathc; i++)
		result = append(fd, matches.gl_pathv[i]);
	if (fd >= 0)
		close(fd);
	if (!result)
		result = tree_add_file(early, place, joined);
	globfree(&matches);
	free(joined);
	free(place);
	return result;
}

static int add_all(struct tree *early, const struct stage *stage, const char *root)
{
	char *amd = text("%s/amd-ucode/microcode_amd*.bin", root), *intel = text("%s/intel-ucode/*-*-*", root);
	int result = add_vendor(early, stage, "AuthenticAMD", amd) || add_vendor(early, stage, "GenuineIntel", intel);

	free(amd);
	free(intel);
	return result ? -1 : 0;
}

static int add_own(struct tree *early, const struct stage *stage, const char *root)
{
	char *pattern = NULL;
	struct cpu cpu;
	int result;

	if (read_cpu(&cpu))
		return -1;
	if (cpu.guest)
		return 0;
	if (!strcmp(cpu.vendor, "GenuineIntel"))
		pattern = text("%s/intel-ucode/%02x-%02x-%02x*", root, cpu.family, cpu.model, cpu.stepping);
	else if (!strcmp(cpu.vendor, "AuthenticAMD"))
		pattern = cpu.family > 0x14 ? text("%s/amd-ucode/microcode_amd_fam%02xh.bin", root, cpu.family)
					    : text("%s/amd-ucode/microcode_amd.bin", root);
	else
		return 0;
	result = add_vendor(early, stage, cpu.vendor, pattern);
	if (!result && !early->root)
		warn("no microcode for this processor ('%s'): install intel-microcode or amd64-microcode, or say "
		     "'--microcode no'",
		     pattern);
	free(pattern);
	return result;
}

bool microcode_knows(const char *which)
{
	return !strcmp(which, "no") || !strcmp(which, "host") || !strcmp(which, "all");
}

int microcode_add(struct tree *early, const struct stage *stage, const char *root, const char *which)
{
	if (!strcmp(which, "no"))
		return 0;
	return !strcmp(which, "all") ? add_all(early, stage, root) : add_own(early, stage, root);
}
