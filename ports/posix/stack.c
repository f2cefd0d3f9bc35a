/* SPDX-License-Identifier: MIT */
/* How large a stack has to be in this program. */
#define _GNU_SOURCE
#include <limits.h>
#include <link.h>
#include <pthread.h>
#include <sys/mman.h>

#include "core.h"
#include "guest.h"

#define LIBC_BYTES 8192 /* the thread's descriptor and what libc keeps for libraries that are loaded later */

/* glibc takes static thread-local data, of the program and of each library, out of the stack. */
static int add_tls(struct dl_phdr_info *object, size_t bytes, void *sum)
{
	(void)bytes;
	for (unsigned i = 0; i < object->dlpi_phnum; i++)
		if (object->dlpi_phdr[i].p_type == PT_TLS)
			*(size_t *)sum += object->dlpi_phdr[i].p_memsz + object->dlpi_phdr[i].p_align;
	return 0;
}

size_t guest_stack_least(size_t useful_bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t bytes = (size_t)PTHREAD_STACK_MIN + useful_bytes + LIBC_BYTES;

	dl_iterate_phdr(add_tls, &bytes);
	return (bytes + page - 1) & ~(page - 1);
}

/* A page that nobody has touched is there already. */
bool guest_locks_memory(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *probe = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char resident = 0;
	bool locked;

	if (probe == MAP_FAILED)
		return false;
	locked = !mincore(probe, page, &resident) && (resident & 1);
	munmap(probe, page);
	return locked;
}
