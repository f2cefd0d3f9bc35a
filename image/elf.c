/* SPDX-License-Identifier: MIT */
/*
 * What is read of programs: the loader that they name, and how much of them anything loads. A program that was built
 * here, not by a distribution, is debug information for the most part.
 */
#define _GNU_SOURCE
#include "internal.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool read_at(int fd, void *buffer, size_t bytes, uint64_t offset)
{
	return pread(fd, buffer, bytes, (off_t)offset) == (ssize_t)bytes;
}

static bool read_header(int fd, Elf64_Ehdr *header)
{
	return read_at(fd, header, sizeof(*header), 0) && !memcmp(header->e_ident, ELFMAG, SELFMAG);
}

static bool read_segment(int fd, const Elf64_Ehdr *header, unsigned int i, Elf64_Phdr *segment)
{
	return read_at(fd, segment, sizeof(*segment), header->e_phoff + i * sizeof(*segment));
}

int elf_interpreter(int fd, char **interpreter)
{
	Elf64_Ehdr header;
	Elf64_Phdr segment;

	*interpreter = NULL;
	if (!read_header(fd, &header))
		return 0;
	if (header.e_ident[EI_CLASS] != ELFCLASS64)
		return -ENOTSUP;
	for (unsigned int i = 0; i < header.e_phnum; i++) {
		if (!read_segment(fd, &header, i, &segment))
			return -EIO;
		if (segment.p_type != PT_INTERP || segment.p_filesz == 0 || segment.p_filesz > 4096)
			continue;
		*interpreter = must(calloc(1, segment.p_filesz + 1));
		return read_at(fd, *interpreter, segment.p_filesz, segment.p_offset) ? 0 : -EIO;
	}
	return 0;
}

static bool has_debug_info(int fd, const Elf64_Ehdr *header)
{
	Elf64_Shdr names, section;
	char name[sizeof(".debug_info")];

	if (!read_at(fd, &names, sizeof(names), header->e_shoff + header->e_shstrndx * sizeof(names)))
		return false;
	for (unsigned int i = 0; i < header->e_shnum; i++)
		if (read_at(fd, &section, sizeof(section), header->e_shoff + i * sizeof(section)) &&
		    read_at(fd, name, sizeof(name), names.sh_offset + section.sh_name) &&
		    !memcmp(name, ".debug_info", sizeof(name)))
			return true;
	return false;
}

/* What nothing loads stands behind the last segment, and is left out if it is debug information and the file's end. */
static int64_t loaded(int fd, int64_t size)
{
	Elf64_Ehdr header;
	Elf64_Phdr segment;
	uint64_t end;

	if (!read_header(fd, &header) || header.e_ident[EI_CLASS] != ELFCLASS64 || !header.e_phnum ||
	    header.e_shoff + header.e_shnum * sizeof(Elf64_Shdr) != (uint64_t)size || !has_debug_info(fd, &header))
		return size;
	end = header.e_phoff + header.e_phnum * sizeof(segment);
	for (unsigned int i = 0; i < header.e_phnum; i++) {
		if (!read_segment(fd, &header, i, &segment) || segment.p_offset + segment.p_filesz > (uint64_t)size)
			return size;
		if (segment.p_offset + segment.p_filesz > end)
			end = segment.p_offset + segment.p_filesz;
	}
	return (int64_t)end;
}

void elf_forget_sections(void *start)
{
	Elf64_Ehdr *header = start;

	header->e_shoff = 0;
	header->e_shnum = 0;
	header->e_shstrndx = SHN_UNDEF;
}

int content_open(struct content *content, const struct image_entry *entry)
{
	*content = (struct content){.fd = -1};
	if (!entry->source)
		return 0;
	content->fd = open(entry->source, O_RDONLY | O_CLOEXEC);
	if (content->fd < 0 || fstat(content->fd, &content->status)) {
		fail("cannot read '%s': %s", entry->source, strerror(errno));
		content_close(content);
		return -1;
	}
	content->bytes = content->status.st_size;
	if (entry->mode & 0111)
		content->bytes = loaded(content->fd, content->bytes);
	content->cut = content->bytes < content->status.st_size;
	return 0;
}

void content_close(struct content *content)
{
	if (content->fd >= 0)
		close(content->fd);
}
