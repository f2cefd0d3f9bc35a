/* SPDX-License-Identifier: MIT */
/*
 * /init of the machines that test the kernel's port. Runs the lines of /script,
 * says how long each took, and powers off.
 *
 *   load FILE [PARAMETERS]   unload NAME   cat FILE   write FILE TEXT   say TEXT
 *   find FILE TEXT           prints the first line that has it
 *   sleep SECONDS
 *   limit SECONDS            after that it shows who is blocked, and powers off
 *   & LINE                   does it beside what follows; join waits for all of these
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static int load(const char *file, const char *parameters)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC), result;

	if (fd < 0)
		return -errno;
	result = syscall(SYS_finit_module, fd, parameters, 0) ? -errno : 0;
	close(fd);
	return result;
}

static int show(const char *file)
{
	char text[4096];
	ssize_t bytes;
	int fd = open(file, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	while ((bytes = read(fd, text, sizeof(text))) > 0)
		if (fwrite(text, 1, (size_t)bytes, stdout) != (size_t)bytes)
			break;
	close(fd);
	return bytes < 0 ? -errno : 0;
}

static int find(const char *file, const char *text)
{
	FILE *stream = fopen(file, "re");
	char *line = NULL;
	size_t bytes = 0;
	int result = -ENOENT;

	if (!stream)
		return -errno;
	while (result && getline(&line, &bytes, stream) > 0)
		if (strstr(line, text))
			result = printf("%s", line) < 0 ? -EIO : 0;
	free(line);
	fclose(stream);
	return result;
}

static int write_text(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY | O_CLOEXEC), result;

	if (fd < 0)
		return -errno;
	result = write(fd, text, strlen(text)) < 0 ? -errno : 0;
	close(fd);
	return result;
}

static void power_off(void)
{
	sync();
	reboot(RB_POWER_OFF);
	_exit(1);
}

/* After so long something hangs, maybe this process too: the kernel says which tasks are blocked. */
static int limit(unsigned seconds)
{
	pid_t child = fork();

	if (child)
		return child < 0 ? -errno : 0;
	sleep(seconds);
	printf("init: TOO LATE\n");
	fflush(stdout);
	write_text("/proc/sysrq-trigger", "w");
	power_off();
	return 0;
}

/* The first word of *text, which goes on behind it. */
static char *word(char **text)
{
	char *begin = *text + strspn(*text, " "), *end = begin + strcspn(begin, " ");

	*text = end + (*end ? 1 : 0);
	*end = '\0';
	return begin;
}

static int run(char *line)
{
	char *rest = line, *verb = word(&rest), *first;

	if (!strcmp(verb, "say"))
		return printf("init: %s\n", rest) < 0 ? -EIO : 0;
	if (!strcmp(verb, "limit"))
		return limit((unsigned)atoi(rest));
	if (!strcmp(verb, "sleep"))
		return (int)sleep((unsigned)atoi(rest));
	first = word(&rest);
	if (!strcmp(verb, "load"))
		return load(first, rest);
	if (!strcmp(verb, "unload"))
		return syscall(SYS_delete_module, first, O_NONBLOCK) ? -errno : 0;
	if (!strcmp(verb, "cat"))
		return show(first);
	if (!strcmp(verb, "find"))
		return find(first, rest);
	if (!strcmp(verb, "write"))
		return write_text(first, rest);
	return -ENOSYS;
}

static void run_timed(char *line)
{
	char *text = strdup(line);
	long long since_ms = now_ms();
	int result = run(line);

	printf("init: %s: %d after %lld ms\n", text, result, now_ms() - since_ms);
	fflush(stdout);
	free(text);
}

static unsigned beside;

static void run_beside(char *line)
{
	pid_t child = fork();

	if (child < 0) {
		printf("init: cannot fork: %s\n", strerror(errno));
	} else if (!child) {
		run_timed(line);
		_exit(0);
	}
	beside++;
}

/* The process that watches the time is no part of it: it ends with the machine. */
static void join(void)
{
	for (; beside; beside--)
		wait(NULL);
}

static void mount_all(void)
{
	static const char *const types[] = {"devtmpfs", "proc", "sysfs", "debugfs", "tracefs"};
	static const char *const points[] = {"/dev", "/proc", "/sys", "/sys/kernel/debug", "/sys/kernel/tracing"};

	for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		mkdir(points[i], 0755);
		mount(types[i], points[i], types[i], 0, NULL); /* what cannot be mounted is missed by who needs it */
	}
}

int main(void)
{
	char *line = NULL;
	size_t bytes = 0;
	FILE *script;

	mount_all();
	script = fopen("/script", "re");
	while (script && getline(&line, &bytes, script) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (!strcmp(line, "join"))
			join();
		else if (*line == '&')
			run_beside(line + 1);
		else if (*line && *line != '#')
			run_timed(line);
	}
	printf("init: %s\n", script ? "END" : "there is no /script");
	fflush(stdout);
	power_off();
}
