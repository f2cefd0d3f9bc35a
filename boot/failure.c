/* SPDX-License-Identifier: MIT */
/* The end of a boot that failed: what, on what; then a shell, or off. */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inorder/trace.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <unistd.h>

#define SHELL "/bin/sh"

static void run_shell(void)
{
	const pid_t pid = fork();

	if (pid == 0) {
		const int console = setsid() < 0 ? -1 : open("/dev/console", O_RDWR | O_CLOEXEC);

		if (console >= 0)
			ioctl(console, TIOCSCTTY, 1); /* without it the shell has no job control; it says so */
		execl(SHELL, SHELL, (char *)NULL);
		_exit(127);
	}
	if (pid < 0)
		complain("cannot start %s: %s", SHELL, strerror(errno));
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* Points of initramfs-tools that are the same here. */
static const char *point_of(const char *word)
{
	static const struct {
		const char *word, *point;
	} points[] = {
		{"top", "premount"},    {"modules", "premount"}, {"premount", "premount"}, {"mount", "mount"},
		{"mountroot", "mount"}, {"bottom", "bottom"},    {"init", "bottom"},
	};

	for (size_t i = 0; i < sizeof(points) / sizeof(*points); i++)
		if (!strcmp(word, points[i].word))
			return points[i].point;
	return NULL;
}

void break_here(const char *point)
{
	const char *wanted = cmdline.break_at ? point_of(cmdline.break_at) : NULL;

	if (cmdline.break_at && !wanted && !strcmp(point, "premount"))
		complain("break=%s is unknown and ignored: use premount, mount or bottom", cmdline.break_at);
	if (!wanted || strcmp(wanted, point))
		return;
	if (!file_exists(SHELL)) {
		complain("break=%s: the image has no " SHELL ": going on", cmdline.break_at);
		return;
	}
	complain("break=%s: a shell follows; the boot goes on when it ends", cmdline.break_at);
	run_shell();
}

/* With panic= there is no shell, as with initramfs-tools: whoever is at the console may not be trusted. */
static void start_again(void)
{
	complain("panic=: the machine starts again in %u s", cmdline.panic_s);
	sync();
	sleep(cmdline.panic_s);
	reboot(RB_AUTOBOOT);
	complain("cannot start again: %s", strerror(errno));
}

_Noreturn void failure(const char *format, ...)
{
	char text[900];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	complain("boot failed: %s", text);
	async_trace_phase("failure");
	async_trace_open(NULL);
	if (cmdline.no_shell) {
		start_again();
	} else if (file_exists(SHELL)) {
		complain("a shell follows; the machine is powered off when it ends");
		run_shell();
	} else {
		complain("the image has no " SHELL ": powering off");
	}
	sync();
	reboot(RB_POWER_OFF);
	complain("cannot power off: %s", strerror(errno));
	for (;;)
		pause();
}
