/* SPDX-License-Identifier: MIT */
/* The wrappers that fail when told to. See faults.h. */
#include "faults.h"

#include <linux/futex.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/syscall.h>

struct fault fault_memory;
struct fault fault_threads;
struct fault fault_futex;
atomic_int fault_futex_error;

void fault_arm(struct fault *fault, long first, long last)
{
	fault->first = 0;
	fault->seen = 0;
	fault->failed = 0;
	fault->last = last;
	fault->first = first;
}

void fault_disarm(struct fault *fault)
{
	fault->first = 0;
}

static bool fails(struct fault *fault)
{
	long n = atomic_fetch_add(&fault->seen, 1) + 1;
	long first = fault->first;

	if (!first || n < first || n > fault->last)
		return false;
	fault->failed++;
	return true;
}

/* musl's names have no versions, so the linker takes those that a shared cmocka asks for as wrapped, too. */
#pragma GCC visibility push(default)

#define WRAP_POINTER(name, parameters, arguments) \
	void *__real_##name parameters; \
	void *__wrap_##name parameters; \
	void *__wrap_##name parameters \
	{ \
		if (fails(&fault_memory)) { \
			errno = ENOMEM; \
			return NULL; \
		} \
		return __real_##name arguments; \
	}

WRAP_POINTER(malloc, (size_t bytes), (bytes))
WRAP_POINTER(calloc, (size_t n, size_t bytes), (n, bytes))
WRAP_POINTER(realloc, (void *old, size_t bytes), (old, bytes))
WRAP_POINTER(aligned_alloc, (size_t alignment, size_t bytes), (alignment, bytes))

int __real_posix_memalign(void **to, size_t alignment, size_t bytes);
int __wrap_posix_memalign(void **to, size_t alignment, size_t bytes);
int __wrap_posix_memalign(void **to, size_t alignment, size_t bytes)
{
	return fails(&fault_memory) ? ENOMEM : __real_posix_memalign(to, alignment, bytes);
}

void *__real_mmap(void *address, size_t bytes, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap(void *address, size_t bytes, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap(void *address, size_t bytes, int protection, int flags, int fd, off_t offset)
{
	if (fails(&fault_memory)) {
		errno = ENOMEM;
		return MAP_FAILED;
	}
	return __real_mmap(address, bytes, protection, flags, fd, offset);
}

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *data);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *data);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *data)
{
	return fails(&fault_threads) ? EAGAIN : __real_pthread_create(thread, attr, run, data);
}

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);
long __wrap_syscall(long number, ...)
{
	long argument[6];
	va_list list;

	va_start(list, number);
	for (unsigned int i = 0; i < 6; i++)
		argument[i] = va_arg(list, long);
	va_end(list);
	if (number == SYS_futex && (argument[1] & FUTEX_CMD_MASK) == FUTEX_WAIT_BITSET && fails(&fault_futex)) {
		errno = fault_futex_error;
		return fault_futex_error ? -1 : 0;
	}
	return __real_syscall(number, argument[0], argument[1], argument[2], argument[3], argument[4], argument[5]);
}

#pragma GCC visibility pop
