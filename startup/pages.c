/* SPDX-License-Identifier: MIT */
/*
 * Giving init code and init data back.
 *
 * The header pads what each file contributes to these sections to whole pages,
 * so an object's init pages hold nothing else. Where padding was lost (LTO may
 * move it to another place), the last page stays unless it is the last of its
 * segment too: then nothing else can be on it.
 *
 * The pages lose their contents and become PROT_NONE, but stay mapped, so that no
 * other mapping can slip in: a stale pointer faults for as long as the object is
 * loaded.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "internal.h"

struct segment {
	uintptr_t address;
	uintptr_t end; /* of the segment that holds the address; 0: there is none */
};

static int find_segment(struct dl_phdr_info *info, size_t bytes, void *data)
{
	struct segment *segment = data;

	(void)bytes;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];
		const uintptr_t start = info->dlpi_addr + header->p_vaddr;

		if (header->p_type == PT_LOAD && segment->address >= start &&
		    segment->address < start + header->p_memsz) {
			segment->end = start + header->p_memsz;
			return 1;
		}
	}
	return 0;
}

/* Takes the whole pages of [start, stop) away. Return: bytes. */
static size_t free_pages(char *start, char *stop)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t from = ((uintptr_t)start + page - 1) & ~(page - 1);
	uintptr_t to = (uintptr_t)stop;
	struct segment segment = {to - 1, 0};

	if (start >= stop)
		return 0;
	dl_iterate_phdr(find_segment, &segment);
	if (segment.end == to)
		to += page - 1;
	to &= ~(page - 1);
	if (from >= to)
		return 0;
	if (mprotect((void *)from, to - from, PROT_NONE) || madvise((void *)from, to - from, MADV_DONTNEED)) {
		startup_say("cannot free %zu bytes of init memory at %p: %s; do not rely on their being gone",
			    to - from, (void *)from, strerror(errno));
		return 0;
	}
	return to - from;
}

size_t startup_free_object(struct initcall_object *object)
{
	return free_pages(object->text, object->text_stop) + free_pages(object->data, object->data_stop);
}
