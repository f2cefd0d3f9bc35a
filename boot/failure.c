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
		const int console = setsid() < 0 ? -1 : open("/dev/console", O_RDWR);

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
	if (file_exists(SHELL)) {
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
