/* SPDX-License-Identifier: MIT */
/*
 * The spellings of a device. The kernel, Debian's initramfs-tools and udev's
 * links each have some; one table has them all, by prefix. What no one here
 * can wait for (a network root) is refused while it is parsed.
 */
#include "root_spec.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const struct {
	const char *prefix;
	enum root_kind kind;
} prefixes[] = {
	{"UUID=", ROOT_UUID},
	{"LABEL=", ROOT_LABEL},
	{"PARTUUID=", ROOT_PARTUUID},
	{"PARTLABEL=", ROOT_PARTLABEL},
	{"/dev/disk/by-uuid/", ROOT_UUID},
	{"/dev/disk/by-label/", ROOT_LABEL},
	{"/dev/disk/by-partuuid/", ROOT_PARTUUID},
	{"/dev/disk/by-partlabel/", ROOT_PARTLABEL},
	{"/dev/disk/by-id/", ROOT_LINK},
	{"/dev/disk/by-path/", ROOT_LINK},
	{"/dev/mapper/", ROOT_MAPPER},
	{"/dev/md/", ROOT_ARRAY},
};

/* What other systems can boot from. The message names what was read. */
static const struct {
	const char *prefix, *what;
} refused[] = {
	{"/dev/nfs", "a root on NFS"},
	{"nfs:", "a root on NFS"},
	{"nfs4:", "a root on NFS"},
	{"/dev/cifs", "a root on SMB"},
	{"cifs:", "a root on SMB"},
	{"smb:", "a root on SMB"},
	{"//", "a root on SMB"},
	{"iscsi:", "a root on iSCSI"},
	{"iscsi=", "a root on iSCSI"},
	{"nbd:", "a network block device"},
	{"/dev/nbd", "a network block device"},
	{"fcoe:", "a root on FCoE"},
	{"dhcp", "a network root"},
	{"http:", "a network root"},
	{"https:", "a network root"},
	{"ftp:", "a network root"},
	{"9p:", "a root on 9p"},
	{"virtiofs:", "a root on virtiofs"},
	{"mtd", "a root on flash memory"},
	{"ubi", "a root on flash memory"},
	{"/dev/mtd", "a root on flash memory"},
	{"ZFS=", "a root on ZFS"},
	{"zfs:", "a root on ZFS"},
	{"live:", "a live image"},
	{"/dev/ram", "a RAM disk as root"},
};

__attribute__((format(printf, 2, 3))) static bool refuse(struct root_spec *spec, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(spec->refusal, sizeof(spec->refusal), format, args);
	va_end(args);
	return false;
}

static int hex_value(char digit)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = digit ? strchr(digits, tolower((unsigned char)digit)) : NULL;

	return at ? (int)(at - digits) : -1;
}

void root_decode(const char *from, char *to, size_t room)
{
	size_t used = 0;

	while (*from && used < room - 1) {
		const int high = from[0] == '\\' && from[1] == 'x' ? hex_value(from[2]) : -1;
		const int low = high < 0 ? -1 : hex_value(from[3]);

		if (low < 0 || !(high * 16 + low)) {
			to[used++] = *from++;
			continue;
		}
		to[used++] = (char)(high * 16 + low);
		from += 4;
	}
	to[used] = '\0';
}

/* Keeps the text without quotes around it. Return: false if it is empty or too long. */
static bool keep(struct root_spec *spec, const char *text)
{
	size_t length = strlen(text);

	if (length > 1 && (*text == '"' || *text == '\'') && text[length - 1] == *text) {
		text++;
		length -= 2;
	}
	if (!length)
		return refuse(spec, "there is nothing after the = or the last /");
	if (length >= sizeof(spec->raw))
		return refuse(spec, "it is longer than %zu letters", sizeof(spec->raw) - 1);
	memcpy(spec->raw, text, length);
	spec->raw[length] = '\0';
	root_decode(spec->raw, spec->value, sizeof(spec->value));
	return true;
}

/* Cuts /PARTNROFF=N off. */
static bool parse_offset(struct root_spec *spec)
{
	char *at = strchr(spec->raw, '/'), *end;
	long value;

	if (!at)
		return true;
	if (strncmp(at, "/PARTNROFF=", 11))
		return refuse(spec, "after the id only /PARTNROFF=N may follow, not %s", at);
	errno = 0;
	value = strtol(at + 11, &end, 10);
	if (errno || end == at + 11 || *end || value < -255 || value > 255)
		return refuse(spec, "PARTNROFF must be a number from -255 to 255, not %s", at + 11);
	spec->offset = (int)value;
	*at = '\0';
	root_decode(spec->raw, spec->value, sizeof(spec->value));
	return *spec->raw || refuse(spec, "there is no id before /PARTNROFF");
}

/* major:minor in decimal, or the kernel's hexadecimal number of both. */
static bool parse_number(const char *text, struct root_spec *spec)
{
	unsigned long number;
	char *end, more;

	spec->kind = ROOT_NUMBER;
	if (strchr(text, ':'))
		return isdigit((unsigned char)*text) && sscanf(text, "%u:%u%c", &spec->major, &spec->minor, &more) == 2;
	errno = 0;
	number = strtoul(text, &end, 16);
	if (errno || end == text || *end || !isxdigit((unsigned char)*text) || number > UINT32_MAX)
		return false;
	spec->major = (number & 0xfff00) >> 8;
	spec->minor = (unsigned int)((number & 0xff) | ((number >> 12) & 0xfff00));
	return true;
}

/* A path below /dev that no prefix has. */
static bool parse_path(const char *text, struct root_spec *spec)
{
	const char *name = text + 5;

	if (!strncmp(name, "block/", 6))
		return parse_number(name + 6, spec) || refuse(spec, "/dev/block/ is followed by major:minor");
	if (!strncmp(name, "disk/", 5))
		return refuse(spec, "of /dev/disk/ only by-uuid, by-label, by-partuuid, by-partlabel, by-id and "
				    "by-path are known here");
	spec->kind = strchr(name, '/') ? ROOT_VOLUME : ROOT_NODE;
	if (!strncmp(name, "md", 2) && isdigit((unsigned char)name[2]))
		spec->kind = ROOT_ARRAY;
	if (!*name || name[strlen(name) - 1] == '/')
		return refuse(spec, "it is a folder");
	return keep(spec, text);
}

/* HOST:/PATH and the like. */
static const char *find_refused(const char *text)
{
	for (size_t i = 0; i < COUNT(refused); i++)
		if (!strncasecmp(text, refused[i].prefix, strlen(refused[i].prefix)))
			return refused[i].what;
	return *text != '/' && strstr(text, ":/") ? "a root on NFS" : NULL;
}

/* Neither a prefix nor a path nor a number: what may have been meant? */
static bool refuse_unknown(const char *text, struct root_spec *spec)
{
	const size_t length = strcspn(text, "=");
	char word[32];

	if (text[length] && length < sizeof(word) - 1) {
		snprintf(word, sizeof(word), "%.*s=", (int)length, text);
		for (size_t i = 0; i < COUNT(prefixes); i++)
			if (spelling_is_near(word, prefixes[i].prefix))
				return refuse(spec, "%s is not known here: %s was meant?", word, prefixes[i].prefix);
		return refuse(spec, "%s is not known here: UUID=, LABEL=, PARTUUID= or PARTLABEL=?", word);
	}
	return refuse(spec,
		      "this is neither a path below /dev, nor UUID=, LABEL=, PARTUUID= or PARTLABEL=, nor "
		      "major:minor; /dev/%.60s was meant?",
		      text);
}

bool root_spec_parse(const char *text, struct root_spec *spec)
{
	const char *what = find_refused(text);

	*spec = (struct root_spec){0};
	if (what)
		return refuse(spec,
			      "%s is not supported by this /init, which waits for local disks only: "
			      "boot with the distribution's initramfs",
			      what);
	for (size_t i = 0; i < COUNT(prefixes); i++) {
		const size_t length = strlen(prefixes[i].prefix);

		if (strncmp(text, prefixes[i].prefix, length) &&
		    (text[0] == '/' || strncasecmp(text, prefixes[i].prefix, length)))
			continue;
		spec->kind = prefixes[i].kind;
		return keep(spec, text + length) && (spec->kind != ROOT_PARTUUID || parse_offset(spec));
	}
	if (!strncmp(text, "/dev/", 5))
		return parse_path(text, spec);
	return parse_number(text, spec) || refuse_unknown(text, spec);
}

/* True if the texts are the same; an empty one is never. */
static bool equal(const char *one, const char *other)
{
	return *one && !strcmp(one, other);
}

/* True if one of the lines of @links is @name. */
static bool has_line(const char *links, const char *name)
{
	const size_t length = strlen(name);

	for (const char *at = links; (at = strstr(at, name)); at += length)
		if ((at == links || at[-1] == '\n') && (at[length] == '\n' || !at[length]))
			return true;
	return false;
}

static bool fits_volume(const struct root_spec *spec, const struct root_facts *facts)
{
	char name[sizeof(spec->raw) * 2];

	root_mapper_name(spec->raw + 5, name, sizeof(name));
	return equal(facts->mapper, name) || equal(facts->device, spec->raw);
}

bool root_spec_fits(const struct root_spec *spec, const struct root_facts *facts)
{
	switch (spec->kind) {
	case ROOT_NODE:
		return equal(facts->device, spec->raw) || equal(facts->device, spec->value);
	case ROOT_NUMBER:
		return facts->major == spec->major && facts->minor == spec->minor;
	case ROOT_UUID:
		return *facts->uuid && !strcasecmp(facts->uuid, spec->value);
	case ROOT_PARTUUID:
		return *facts->partuuid && !strcasecmp(facts->partuuid, spec->value);
	case ROOT_LABEL:
		return equal(facts->label, spec->value) || equal(facts->label, spec->raw);
	case ROOT_PARTLABEL:
		return equal(facts->partlabel, spec->value) || equal(facts->partlabel, spec->raw);
	case ROOT_LINK:
		return has_line(facts->links, spec->raw);
	case ROOT_MAPPER:
		return equal(facts->mapper, spec->raw) || equal(facts->mapper, spec->value);
	case ROOT_ARRAY:
		return equal(facts->device, spec->raw) || equal(facts->array, spec->raw);
	case ROOT_VOLUME:
		return fits_volume(spec, facts);
	}
	return false;
}

const char *root_spec_rival(const struct root_spec *spec, const struct root_facts *facts)
{
	switch (spec->kind) {
	case ROOT_UUID:
		return facts->uuid;
	case ROOT_LABEL:
		return facts->label;
	case ROOT_PARTUUID:
		return facts->partuuid;
	case ROOT_PARTLABEL:
		return facts->partlabel;
	case ROOT_MAPPER:
		return facts->mapper;
	case ROOT_ARRAY:
		return *facts->array ? facts->array : facts->device;
	case ROOT_LINK:
		return "";
	case ROOT_NODE:
	case ROOT_NUMBER:
	case ROOT_VOLUME:
		break;
	}
	return facts->device;
}

bool root_spec_is_mapped(const struct root_spec *spec)
{
	return spec->kind == ROOT_MAPPER || spec->kind == ROOT_VOLUME || !strncmp(spec->raw, "/dev/dm-", 8);
}

void root_mapper_name(const char *path, char *name, size_t room)
{
	size_t used = 0;

	for (; *path && used + 2 < room; path++) {
		if (*path == '-')
			name[used++] = '-';
		name[used++] = *path == '/' ? '-' : *path;
	}
	name[used] = '\0';
}

bool root_volume_name(const char *mapper, char *path, size_t room)
{
	bool divided = false;
	size_t used = 0;

	for (; *mapper && used < room - 1; mapper++) {
		path[used++] = *mapper;
		if (*mapper != '-')
			continue;
		if (mapper[1] == '-') {
			mapper++;
		} else if (!divided) {
			path[used - 1] = '/';
			divided = true;
		}
	}
	path[used] = '\0';
	return divided && path[0] != '/' && path[used - 1] != '/';
}
