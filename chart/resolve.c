/* SPDX-License-Identifier: MIT */
/*
 * Names of functions. A trace has "name+0x0/0x42" where the program's dynamic symbols told the name, and
 * "object+0xoffset" for static functions, whose names only the object's .symtab knows. The object is the file
 * of that path on this machine, or the one given with --symbols.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "chart.h"

struct function {
	uint64_t start;
	uint64_t bytes;
	const char *name;
};

struct object {
	const char *path; /* as the trace names it */
	struct function *functions;
	size_t count;
};

struct given {
	const char *object;
	const char *file;
};

static struct object *objects;
static size_t object_count;
static struct given *given;
static size_t given_count;

static const char *base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

void resolve_add(const char *argument)
{
	const char *equals = strchr(argument, '=');
	struct given *one = APPEND(given, given_count);

	one->object = equals ? keep_part(argument, (size_t)(equals - argument)) : keep(base(argument));
	one->file = keep(equals ? equals + 1 : argument);
}

/* In the kernel's format, characters other than these are replaced. */
static bool same(const char *given_name, const char *name)
{
	for (; *given_name && *name; given_name++, name++)
		if (*given_name != *name && (*name != '_' || isalnum((unsigned char)*given_name)))
			return false;
	return *given_name == *name;
}

/* The trace may name the object by its path, or, in the kernel's format, by the last part of it. */
static const char *file_of(const char *path)
{
	for (size_t i = 0; i < given_count; i++)
		if (same(given[i].object, path) || same(given[i].object, base(path)))
			return given[i].file;
	return path[0] == '/' ? path : NULL;
}

static int compare_functions(const void *a, const void *b)
{
	const struct function *left = a;
	const struct function *right = b;

	return (left->start > right->start) - (left->start < right->start);
}

static void read_section(Elf *elf, Elf_Scn *section, const GElf_Shdr *header, struct object *object)
{
	Elf_Data *data = elf_getdata(section, NULL);
	GElf_Sym symbol;

	for (int i = 0; data && gelf_getsym(data, i, &symbol); i++) {
		const char *name = elf_strptr(elf, header->sh_link, symbol.st_name);
		int type = GELF_ST_TYPE(symbol.st_info);

		if (!name || symbol.st_shndx == SHN_UNDEF || (type != STT_FUNC && type != STT_OBJECT))
			continue;
		*APPEND(object->functions, object->count) =
			(struct function){symbol.st_value, symbol.st_size, keep(name)};
	}
}

/* A trace names any path: what is no file is left alone, and a pipe without a writer not waited for. */
static int open_object(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat status;

	if (fd >= 0 && (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static void read_symbols(const char *file, struct object *object)
{
	int fd = open_object(file);
	Elf *elf = fd < 0 || elf_version(EV_CURRENT) == EV_NONE ? NULL : elf_begin(fd, ELF_C_READ, NULL);
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	while (elf && (section = elf_nextscn(elf, section)))
		if (gelf_getshdr(section, &header) && (header.sh_type == SHT_SYMTAB || header.sh_type == SHT_DYNSYM))
			read_section(elf, section, &header, object);
	if (elf)
		elf_end(elf);
	if (fd >= 0)
		close(fd);
	if (object->count)
		qsort(object->functions, object->count, sizeof(*object->functions), compare_functions);
}

static const struct object *object_of(const char *path)
{
	struct object *object;
	const char *file;

	for (size_t i = 0; i < object_count; i++)
		if (objects[i].path == path)
			return &objects[i];
	object = APPEND(objects, object_count);
	*object = (struct object){.path = path};
	file = file_of(path);
	if (file)
		read_symbols(file, object);
	return object;
}

static const char *function_at(const struct object *object, uint64_t address)
{
	size_t low = 0;
	size_t high = object->count;

	while (low < high) { /* the first one that starts behind the address */
		size_t middle = low + (high - low) / 2;

		if (object->functions[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	while (low-- > 0) {
		const struct function *function = &object->functions[low];

		if (address - function->start < function->bytes || address == function->start)
			return function->name;
		if (function->start + 1 < address && function->bytes)
			break;
	}
	return NULL;
}

/* "0x42" up to the end, or up to @stop. */
static bool parse_hex(const char *text, char stop, uint64_t *value, const char **end)
{
	char *after;

	if (strncmp(text, "0x", 2) != 0)
		return false;
	*value = strtoull(text, &after, 16);
	*end = after;
	return after > text + 2 && *after == stop;
}

const char *resolve(const char *func)
{
	const char *plus = strrchr(func, '+');
	const char *path;
	const char *name;
	const char *end;
	char text[512];
	uint64_t offset;
	uint64_t bytes;

	if (!plus || plus == func)
		return func;
	if (parse_hex(plus + 1, '/', &offset, &end) && parse_hex(end + 1, 0, &bytes, &end))
		return offset == 0 ? keep_part(func, (size_t)(plus - func)) : func;
	if (!parse_hex(plus + 1, 0, &offset, &end))
		return func;
	path = keep_part(func, (size_t)(plus - func));
	name = function_at(object_of(path), offset);
	if (name)
		return name;
	snprintf(text, sizeof(text), "%s%s", base(path), plus);
	return keep(text);
}

void resolve_free(void)
{
	for (size_t i = 0; i < object_count; i++)
		free(objects[i].functions);
	free(objects);
	free(given);
	objects = NULL;
	given = NULL;
	object_count = given_count = 0;
}
