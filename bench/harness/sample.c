/* SPDX-License-Identifier: MIT */
/* One run of one program, and how busy others kept the machine meanwhile. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../workload/spin.h"
#include "harness.h"

extern char **environ;

uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* The best of many: interruptions only make it slower. */
uint64_t sample_calibrate(void)
{
	const uint64_t turns = 200000;
	uint64_t best = UINT64_MAX;

	for (int i = 0; i < 200; i++) {
		uint64_t begun_ns = clock_ns(), took_ns;

		spin(turns);
		took_ns = clock_ns() - begun_ns;
		best = took_ns < best ? took_ns : best;
	}
	return turns * 1000 / best;
}

uint64_t usage_ns(const struct rusage *used)
{
	return (uint64_t)(used->ru_utime.tv_sec + used->ru_stime.tv_sec) * 1000000000u +
	       (uint64_t)(used->ru_utime.tv_usec + used->ru_stime.tv_usec) * 1000u;
}

/* ---- what all processors did ---- */

static bool first_line(const char *path, char *text, size_t bytes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, text, bytes - 1);

	if (fd >= 0)
		close(fd);
	text[length > 0 ? length : 0] = 0;
	return length > 0;
}

/* Busy time of all processors and, of virtual ones, time in which they were not run. */
static uint64_t busy_ns(void)
{
	char text[4096];
	uint64_t user, nice, system, idle, wait, interrupt, soft, steal, usage_us;
	uint64_t tick_ns = 1000000000u / (uint64_t)sysconf(_SC_CLK_TCK);

	if (!first_line("/proc/stat", text, sizeof(text)) ||
	    sscanf(text,
		   "cpu %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64,
		   &user, &nice, &system, &idle, &wait, &interrupt, &soft, &steal) != 8)
		return 0;
	if (first_line("/sys/fs/cgroup/cpuacct/cpuacct.usage", text, sizeof(text)))
		return strtoull(text, NULL, 10) + steal * tick_ns;
	if (first_line("/sys/fs/cgroup/cpu.stat", text, sizeof(text)) &&
	    sscanf(text, "usage_usec %" SCNu64, &usage_us) == 1)
		return usage_us * 1000 + steal * tick_ns;
	return (user + nice + system + interrupt + soft + steal) * tick_ns;
}

/* ---- the run ---- */

struct run {
	pid_t pid;
	int out, err;
	char figures[2048], errors[512];
	size_t figure_bytes, error_bytes;
};

static const char *start(struct run *run, char **arguments)
{
	int out[2], err[2], error;
	posix_spawn_file_actions_t actions;

	if (pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
		return strerror(errno);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, out[1], 1);
	posix_spawn_file_actions_adddup2(&actions, err[1], 2);
	error = posix_spawn(&run->pid, arguments[0], &actions, NULL, arguments, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(out[1]);
	close(err[1]);
	run->out = out[0];
	run->err = err[0];
	return error ? strerror(error) : NULL;
}

/* Returns false at the end of the pipe. */
static bool drain(int fd, char *text, size_t bytes, size_t *used)
{
	char rest[512];
	bool full = *used + 1 >= bytes;
	ssize_t length = full ? read(fd, rest, sizeof(rest)) : read(fd, text + *used, bytes - 1 - *used);

	if (length > 0 && !full)
		*used += (size_t)length;
	text[*used] = 0;
	return length > 0 || (length < 0 && errno == EINTR);
}

/* Until both pipes end. Returns false if it took too long. */
static bool collect(struct run *run, unsigned limit_s)
{
	struct pollfd fds[2] = {{run->out, POLLIN, 0}, {run->err, POLLIN, 0}};
	uint64_t until_ns = clock_ns() + (uint64_t)limit_s * 1000000000u;

	while (fds[0].fd >= 0 || fds[1].fd >= 0) {
		uint64_t now_ns = clock_ns();

		if (now_ns >= until_ns)
			return false;
		if (poll(fds, 2, (int)((until_ns - now_ns) / 1000000) + 1) < 0 && errno != EINTR)
			return false;
		if (fds[0].revents && !drain(run->out, run->figures, sizeof(run->figures), &run->figure_bytes))
			fds[0].fd = -1;
		if (fds[1].revents && !drain(run->err, run->errors, sizeof(run->errors), &run->error_bytes))
			fds[1].fd = -1;
	}
	return true;
}

static bool read_figures(const struct row *row, const char *text, struct sample *sample)
{
	for (size_t i = 0; i < FIGURES_MOST && row->figures[i].key; i++) {
		size_t length = strlen(row->figures[i].key);
		const char *line = text;

		while (line && (strncmp(line, row->figures[i].key, length) != 0 || line[length] != ' ')) {
			line = strchr(line, '\n');
			line = line ? line + 1 : NULL;
		}
		if (!line)
			return false;
		sample->value[i] = strtod(line + length, NULL);
	}
	return true;
}

static enum outcome judge(struct run *run, int status, bool in_time, const struct point *point, struct sample *sample,
			  char text[256])
{
	text[0] = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 2)
		return SAMPLE_CANNOT;
	run->errors[strcspn(run->errors, "\n")] = 0;
	if (!in_time)
		return SAMPLE_SLOW;
	if (WIFSIGNALED(status))
		snprintf(text, 256, "ended by signal %d", WTERMSIG(status));
	else if (WEXITSTATUS(status))
		snprintf(text, 256, "%.200s", run->errors[0] ? run->errors : "failed without a word");
	else if (!read_figures(point->row, run->figures, sample))
		snprintf(text, 256, "did not print the figures of %s", point->row->work);
	return text[0] ? SAMPLE_FAILED : SAMPLE_GOOD;
}

enum outcome sample_take(const struct settings *settings, const struct point *point, const struct peer_info *peer,
			 uint64_t spin_turns, struct sample *sample, char text[256])
{
	struct run run = {.pid = 0};
	struct rusage used;
	char program[4096], option[7][40];
	char *arguments[] = {program,   (char *)(uintptr_t)point->row->work,
			     option[0], option[1],
			     option[2], option[3],
			     option[4], option[5],
			     NULL};
	uint64_t begun_ns, busy_before_ns, took_ns, busy, own;
	const char *error;
	bool in_time;
	int status;

	snprintf(program, sizeof(program), "%s/bench-%s", settings->programs, peer->name);
	snprintf(option[0], sizeof(option[0]), "calls=%u",
		 peer->calls_most && point->calls > peer->calls_most ? peer->calls_most : point->calls);
	snprintf(option[1], sizeof(option[1]), "threads=%u", point->threads);
	snprintf(option[2], sizeof(option[2]), "submitters=%u", point->submitters);
	snprintf(option[3], sizeof(option[3]), "domains=%u", point->domains);
	snprintf(option[4], sizeof(option[4]), "spin=%" PRIu64, spin_turns);
	busy_before_ns = busy_ns();
	if (!load_begin(point->loops)) {
		load_end();
		snprintf(text, 256, "no loops can be started beside it: %s", strerror(errno));
		return SAMPLE_FAILED;
	}
	begun_ns = clock_ns();
	snprintf(option[5], sizeof(option[5]), "begun_ns=%" PRIu64, begun_ns);
	error = start(&run, arguments);
	if (error) {
		load_end();
		snprintf(text, 256, "cannot be started: %.200s", error);
		return SAMPLE_FAILED;
	}
	in_time = collect(&run, settings->limit_s);
	if (!in_time)
		kill(run.pid, SIGKILL);
	while (wait4(run.pid, &status, 0, &used) < 0 && errno == EINTR)
		;
	close(run.out);
	close(run.err);
	took_ns = clock_ns() - begun_ns;
	own = usage_ns(&used) + load_end();
	busy = busy_ns() - busy_before_ns;
	sample->foreign =
		busy > own ? (double)(busy - own) / (double)took_ns / (double)sysconf(_SC_NPROCESSORS_ONLN) : 0;
	status = (int)judge(&run, status, in_time, point, sample, text);
	if (status == SAMPLE_GOOD && sample->foreign > settings->foreign_most)
		return SAMPLE_LOADED;
	return (enum outcome)status;
}
