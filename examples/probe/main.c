/* SPDX-License-Identifier: MIT */
/*
 * Lists the machine's devices. Each subsystem is a file that registers an
 * initcall, which finds its devices and schedules a call for each: probes run
 * at once, lines come in program order.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <inorder/initcall.h>
#include <inorder/trace.h>

#include "device.h"

extern char **environ;

static const char usage[] = "usage: probe [--serial] [--chart FILE]\n"
			    "Lists the machine's devices, probing them all at once.\n"
			    "  --serial      one after the other\n"
			    "  --chart FILE  draw what happened as SVG, with inorder-chart\n";

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* Begins a trace in a new file, whose name replaces the Xs. */
static int begin_trace(char *path)
{
	const int fd = mkstemp(path);
	int error;

	if (fd < 0)
		error = -errno;
	else
		error = async_trace_open(path);
	if (error)
		fprintf(stderr, "probe: cannot write a trace to %s: %s\n", path, strerror(-error));
	if (error && fd >= 0)
		unlink(path);
	if (fd >= 0)
		close(fd);
	return error;
}

static int draw(const char *trace, const char *chart)
{
	char *arguments[] = {"inorder-chart", "--output", (char *)chart, (char *)trace, NULL};
	pid_t pid;
	int status;
	int error;

	async_trace_open(NULL);
	error = posix_spawnp(&pid, arguments[0], NULL, NULL, arguments, environ);
	if (error) {
		fprintf(stderr, "probe: cannot run inorder-chart: %s; is it in the PATH?\n", strerror(error));
		return 1;
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR) {
			perror("probe: cannot wait for inorder-chart");
			return 1;
		}
	return !WIFEXITED(status) || WEXITSTATUS(status);
}

static int probe_all(bool serial)
{
	const double begin_ms = now_ms();
	int error = initcalls_run(0);
	unsigned int count;

	if (async_synchronize_full_domain(&devices))
		return 1;
	initcalls_free(); /* no initcall runs again */
	if (fflush(stdout) || ferror(stdout)) {
		perror("probe: cannot write the list");
		error = -EIO;
	}
	count = device_free_all();
	fprintf(stderr, "%u devices in %.2f ms, %s\n", count, now_ms() - begin_ms,
		serial ? "one after the other" : "all at once");
	return error ? 1 : 0;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"serial", no_argument, NULL, 's'},
						{"chart", required_argument, NULL, 'c'},
						{"help", no_argument, NULL, 'h'},
						{NULL, 0, NULL, 0}};
	struct async_config config = ASYNC_CONFIG_INIT;
	char trace[] = "/tmp/probe-XXXXXX";
	const char *chart = NULL;
	bool serial = false;
	int letter;
	int result;

	while ((letter = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (letter == 's') {
			serial = true;
		} else if (letter == 'c') {
			chart = optarg;
		} else {
			fputs(usage, letter == 'h' ? stdout : stderr);
			return letter == 'h' ? 0 : 2;
		}
	}
	if (serial)
		config.threads = 0; /* calls run inline */
	result = async_configure(&config);
	if (result) {
		fprintf(stderr, "probe: cannot configure the library: %s\n", strerror(-result));
		return 1;
	}
	if (chart && begin_trace(trace))
		return 1;
	result = probe_all(serial);
	if (chart) {
		result |= draw(trace, chart);
		unlink(trace);
	}
	return result;
}
