/* SPDX-License-Identifier: MIT */
/* How large a stack has to be in this program. */
#define _GNU_SOURCE
#include <limits.h>
#include <link.h>
#include <pthread.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "guest.h"
#include "rob.h"

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

/* ---- whether memory is locked ---- */

#define LOOKS_MOST 16 /* at a page, then another one is taken */

/* A page that no thread touches. NULL: there is none. */
static void *untouched_page(size_t bytes)
{
	void *page = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return page == MAP_FAILED ? NULL : page;
}

static bool is_resident(void *page, size_t bytes)
{
	unsigned char resident = 0;

	return page && !mincore(page, bytes, &resident) && (resident & 1);
}

static bool new_page_is_resident(size_t bytes)
{
	void *page = untouched_page(bytes);
	bool resident = is_resident(page, bytes);

	if (page)
		munmap(page, bytes);
	return resident;
}

/*
 * A page that no thread has touched is in memory: mlockall() has brought it. The page is kept, since to unmap one makes
 * all processors forget addresses: that took a quarter of what a thread's start takes. mlockall(MCL_FUTURE) alone shows
 * on new pages only, and a child has its parent's page and not its locks: so another one is taken now and then.
 */
bool guest_locks_memory(void)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static void *page;
	static unsigned looks;
	static pid_t process;
	size_t bytes = (size_t)sysconf(_SC_PAGESIZE);
	bool locked;

	if (pthread_mutex_trylock(&lock)) /* also in a child for ever, if its parent was here */
		return new_page_is_resident(bytes);
	if (process != getpid() || ++looks == LOOKS_MOST) {
		if (page)
			munmap(page, bytes);
		page = untouched_page(bytes);
		process = getpid();
		looks = 0;
	}
	locked = is_resident(page, bytes);
	pthread_mutex_unlock(&lock);
	return locked;
}

/* ---- how much is left ---- */

#define MAIN_MOST ((size_t)64 << 20) /* of a main thread's stack without a limit */
#define LEFT_SHARE 4                 /* calls nest until a quarter is left: what a call itself needs */

/* Of this thread's stack; 0 bytes: not looked for yet. */
static __thread uintptr_t stack_end;
static __thread size_t stack_bytes;

static bool is_inside(uintptr_t here)
{
	return here >= stack_end && here - stack_end < stack_bytes;
}

/* Of the main thread: pthread_getattr_np() would open a file. The kernel put the random bytes near the top. */
static void find_main_stack(void)
{
	struct rlimit limit;
	uintptr_t top = (uintptr_t)getauxval(AT_RANDOM);

	if (!top || getrlimit(RLIMIT_STACK, &limit))
		return;
	stack_bytes = limit.rlim_cur < MAIN_MOST ? (size_t)limit.rlim_cur : MAIN_MOST;
	stack_end = top > stack_bytes ? top - stack_bytes : 0;
}

static void find_stack(uintptr_t here)
{
	pthread_attr_t attr;
	void *end;

	if (syscall(SYS_gettid) == getpid())
		find_main_stack();
	if (is_inside(here) || pthread_getattr_np(pthread_self(), &attr))
		return;
	if (!pthread_attr_getstack(&attr, &end, &stack_bytes))
		stack_end = (uintptr_t)end;
	pthread_attr_destroy(&attr);
}

/* A program may run calls on stacks that it has made itself: these are not known, and taken for large enough. */
bool port_stack_low(void)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	int saved = errno;

	if (!stack_bytes) {
		find_stack(here);
		errno = saved;
	}
	return is_inside(here) && here - stack_end < stack_bytes / LEFT_SHARE;
}
