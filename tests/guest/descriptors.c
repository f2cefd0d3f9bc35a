/* SPDX-License-Identifier: MIT */
/* The program's descriptors are its own: none of the library's is among them, though its monitor reads files. */
#include "harness.h"

#include <dirent.h>
#include <fcntl.h>
#include <malloc.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

enum {
	CALLS = 300,             /* more than a first burst has threads for: the monitor starts the others */
	STACK_BYTES = 256 * 1024 /* so many stacks of 8 MB do not fit into 32 bits */
};

static struct gate gates[CALLS];
static int pipe_ends[2];

/* Also what the monitor has started has the program's descriptors. */
static void write_and_block(void *data, async_cookie_t cookie)
{
	CHECK_EQ(write(pipe_ends[1], "x", 1), 1);
	gate_call(data, cookie);
}

/* All calls are blocked, and the monitor has looked at their threads. */
static void block_all(void)
{
	CHECK(!pipe(pipe_ends));
	for (unsigned int i = 0; i < CALLS; i++) {
		gate_init(&gates[i]);
		async_schedule(write_and_block, &gates[i]);
	}
	for (unsigned int i = 0; i < CALLS; i++)
		down(&gates[i].begun);
}

static void open_all(void)
{
	for (unsigned int i = 0; i < CALLS; i++)
		gate_open(&gates[i]);
	CHECK_EQ(async_synchronize_full(), 0);
}

static void small_stacks(void)
{
	struct async_config config = ASYNC_CONFIG_INIT;

	config.stack_bytes = STACK_BYTES;
	CHECK_EQ(async_configure(&config), 0);
}

/* In a child, as it closes descriptors. Without it the library opens no files at all, which has tests of its own. */
static void need_tables(void)
{
	pid_t child = fork();
	int status;

	if (!child)
		_exit(syscall(SYS_close_range, 0, ~0u, 2) ? 1 : 0);
	CHECK(waitpid(child, &status, 0) == child);
	if (status)
		harness_skip("this system has no tables of descriptors for a thread (close_range)");
}

static void monitors_path(char *path, size_t bytes)
{
	DIR *tasks = opendir("/proc/self/task");
	struct dirent *entry;
	char name[32];
	bool found = false;

	CHECK(tasks);
	while (!found && (entry = readdir(tasks))) {
		FILE *file;

		snprintf(path, bytes, "/proc/self/task/%.20s/comm", entry->d_name);
		file = fopen(path, "re");
		found = file && fgets(name, sizeof(name), file) && !strcmp(name, "inorder/monitor\n");
		if (file)
			fclose(file);
		snprintf(path, bytes, "/proc/self/task/%.20s/fd", entry->d_name);
	}
	closedir(tasks);
	CHECK(found);
}

/* It has a file of /proc at a time; a copy of the program's pipe would keep that open. */
TEST(the_monitor_has_none_of_the_programs, .pools = PDEFAULT, .env = "INORDER_THREADS=320")
{
	char path[64], link[320], to[256];
	struct dirent *entry;
	DIR *open_ones;

	need_tables();
	small_stacks();
	block_all();
	monitors_path(path, sizeof(path));
	open_ones = opendir(path);
	CHECK(open_ones);
	while ((entry = readdir(open_ones))) {
		ssize_t length;

		snprintf(link, sizeof(link), "%s/%s", path, entry->d_name);
		length = readlink(link, to, sizeof(to) - 1);
		if (length < 0)
			continue; /* "." and "..", or closed since */
		to[length] = '\0';
		if (strncmp(to, "/proc/", 6) && strncmp(to, "/sys/", 5))
			FAIL("the monitor has %s", to);
	}
	closedir(open_ones);
	open_all();
}

/*
 * It closes what it does not know, and opens files of its own: they get the numbers that are free, and stay. Sanitizers
 * may open files of theirs.
 */
TEST(a_program_that_closes_all_loses_no_file, .pools = PDEFAULT, .env = "INORDER_THREADS=320", .no_tsan = true,
     .no_asan = true)
{
	int lowest;

	need_tables();
	small_stacks();
#ifdef M_ARENA_MAX
	mallopt(M_ARENA_MAX, 1); /* glibc would open a file to count processors */
#endif
	lowest = dup(0);
	close(lowest);
	for (unsigned int round = 0; round < 40; round++) {
		for (unsigned int i = 0; i < CALLS; i++) {
			gate_init(&gates[i]);
			async_schedule(gate_call, &gates[i]);
		}
		for (unsigned int look = 0; look < 200; look++) {
			syscall(SYS_close_range, lowest, ~0u, 0);
			for (int i = 0; i < 3; i++)
				CHECK_EQ(open("/dev/null", O_RDONLY | O_CLOEXEC), lowest + i);
			for (int i = 0; i < 3; i++)
				CHECK_EQ(close(lowest + i), 0);
		}
		open_all();
	}
}
