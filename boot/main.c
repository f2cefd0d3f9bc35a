/* SPDX-License-Identifier: MIT */
/*
 * inorder-init, the /init of an initramfs: the phases of a boot. What each
 * subsystem does is in its own file, which registers its own initcalls.
 */
#include "fstab.h"
#include "internal.h"
#include "mount.h"
#include "resume.h"
#include "root_choice.h"
#include "root_device.h"
#include "volumes.h"

#include <errno.h>
#include <fcntl.h>
#include <inorder/initcall.h>
#include <inorder/trace.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { WATCHDOG_S = 10 }; /* a call that takes longer is reported on the console, and who waits for it */

/* Before anything can be said: a kernel without /dev/console in the image starts us without files. */
static void open_console(void)
{
	const int fd = open("/dev/console", O_RDWR);

	for (int i = STDIN_FILENO; fd >= 0 && i <= STDERR_FILENO; i++)
		if (fcntl(i, F_GETFD) < 0)
			dup2(fd, i);
	if (fd > STDERR_FILENO)
		close(fd);
}

static void configure(void)
{
	struct async_config config = ASYNC_CONFIG_INIT;
	int error;

	config.watchdog_s = WATCHDOG_S;
	if (cmdline.serial)
		config.threads = 0;
	error = async_configure(&config);
	if (error)
		complain("the library cannot be configured: %s", strerror(-error));
	if (cmdline.trace && (error = async_trace_open(cmdline.trace)))
		complain("cannot write the trace inorder.trace=%s: %s", cmdline.trace, strerror(-error));
	if (cmdline.initcall_debug) {
		const int log = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);

		if (log < 0 || async_trace_initcall(log))
			complain("initcall_debug: cannot write to /dev/kmsg");
	}
	for (size_t i = 0; i < cmdline.unknown_count; i++)
		complain("unknown word on the command line, ignored: %s", cmdline.unknown[i]);
}

/* All was done here, or there is no one else to do it. */
static bool release(void)
{
	async_synchronize_full();
	rest_wait();
	holds_release();
	return false;
}

/* From here on only what the root needs is done in this process. Return: true if the finisher does the rest. */
static bool hand_over(void)
{
	int pid;

	naming_stop();
	modules_stop();
	volumes_wait_idle();
	if (cmdline.serial)
		return release();
	pid = finisher_start();
	if (pid > 0) {
		systemd_note_finisher(pid);
		return true;
	}
	complain("cannot start the finisher: %s: what the root did not need is left to the real init", strerror(-pid));
	return release();
}

_Noreturn static void fail_without_root(void)
{
	char devices[512], advice[256];

	root_seen(devices, sizeof(devices));
	root_advice(advice, sizeof(advice));
	failure("root=%s is not there, %u s after every driver was tried. Block devices: %s. %s rootwait waits longer",
		cmdline.root, cmdline.wait_s, devices, advice);
}

static void mount_or_fail(const struct facts *root)
{
	int error;

	if (!mount_root(root))
		return;
	error = fsck_closely(root, "root");
	if (error && error != -ENOENT)
		failure("the check of the root %s failed", root->device);
	if (error || mount_root(root))
		failure("the root %s cannot be mounted", root->device);
}

/* What the root's own file systems need. */
static int mount_others(void)
{
	const uint64_t since_ns = async_trace_calling(NULL, "fstab");
	bool waits;
	const int error = fstab_mount(&waits);

	systemd_note_waits(waits);
	if (!error)
		volumes_tell_udev();
	async_trace_called(NULL, "fstab", error, since_ns);
	return error;
}

static void boot(char **argv)
{
	struct facts root;
	uint64_t since_ns;
	bool handed_over;

	async_trace_phase("modules");
	if (initcalls_run(0))
		complain("an initcall failed: going on without what it does");
	break_here("premount");
	async_trace_phase("storage");
	if (!root_wait())
		fail_without_root();
	async_trace_phase("root");
	root_device(&root);
	resume_try();
	fsck_start(&root);
	since_ns = async_trace_calling(NULL, "hand over");
	handed_over = hand_over();
	async_trace_called(NULL, "hand over", 0, since_ns);
	async_trace_phase("fsck");
	if (fsck_wait("root"))
		failure("the check of the root %s failed", root.device);
	async_trace_phase("mount");
	break_here("mount");
	mount_or_fail(&root);
	if (mount_others())
		failure("what the root's /etc/fstab needs before the real init could not be mounted");
	hints_record(&root);
	break_here("bottom");
	async_trace_phase("switch");
	async_trace_open(NULL);
	async_trace_initcall(-1);
	switch_root(argv, !handed_over);
	failure("there is no way into the root %s", root.device);
}

/* What cannot be is refused at once, before anything is touched. */
static void check_cmdline(void)
{
	const char *why;

	if (cmdline.boot && strcmp(cmdline.boot, "local"))
		failure("boot=%s is not supported by this /init, which waits for local disks only: boot with the "
			"distribution's initramfs",
			cmdline.boot);
	if (!cmdline.root)
		failure("the kernel's command line has no root=");
	resume_parse();
	why = root_parse();
	if (why)
		failure("root=%s: %s", cmdline.root, why);
}

int main(int argc, char **argv)
{
	int error;

	if (argc > 0 && !strcmp(argv[0], FINISHER)) {
		cmdline_be_finisher();
		return finisher_main();
	}
	if (getpid() != 1) {
		fprintf(stderr,
			"inorder-init: this is the /init of an initramfs, for process 1 only; see inorder-init(8)\n");
		return 1;
	}
	systemd_note_start();
	error = mounts_early();
	open_console();
	if (error)
		failure("the kernel's file systems cannot be mounted");
	error = cmdline_read();
	if (error)
		failure("cannot read /proc/cmdline: %s", strerror(-error));
	configure();
	check_cmdline();
	boot(argv);
}
