/* SPDX-License-Identifier: MIT */
/*
 * A hibernated system is resumed before any file system is touched: what it
 * has open would be changed under it. When one is found that cannot be
 * resumed, nothing is mounted before someone has said that it may be lost.
 */
#include "resume.h"

#include "devices.h"
#include "internal.h"
#include "volumes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SETTING "/etc/initramfs-tools/conf.d/resume"

/* Where the header of a swap space has its signature. */
enum { PAGE = 4096, SIGNATURE_BYTES = 10, WAIT_S = 2 };

static struct root_spec spec;
static bool is_wanted;

/* Debian's installer leaves there which swap space it is. */
static const char *read_setting(void)
{
	static char text[512];
	char *value, *end;

	if (file_read(SETTING, text, sizeof(text)) <= 0)
		return NULL;
	value = !strncmp(text, "RESUME=", 7) ? text : strstr(text, "\nRESUME=");
	if (!value)
		return NULL;
	value = strchr(value, '=') + 1;
	end = value + strcspn(value, "\n");
	*end = '\0';
	return *value && strcmp(value, "none") && strcmp(value, "auto") ? value : NULL;
}

/* True if it is not there yet, nor on what is there. */
static bool is_missing(void)
{
	struct facts device;

	if (devices_find(&spec, &device))
		return false;
	volumes_build(&spec, VOLUMES_QUIET);
	return !devices_find(&spec, &device);
}

void resume_parse(void)
{
	if (cmdline.noresume)
		return;
	if (!cmdline.resume)
		cmdline.resume = read_setting();
	if (!cmdline.resume)
		return;
	is_wanted = root_spec_parse(cmdline.resume, &spec);
	if (!is_wanted) {
		complain("resume=%s: %s: no hibernated system is looked for", cmdline.resume, spec.refusal);
		return;
	}
	facts_want_for(&spec);
	usb_want(is_missing);
}

/* Return: who made the image, NULL if there is none. */
static const char *find_image(const char *device)
{
	static const struct {
		const char *signature, *maker;
	} makers[] = {
		{"S1SUSPEND", "the kernel"},
		{"S2SUSPEND", "uswsusp"},
		{"ULSUSPEND", "uswsusp"},
		{"LINHIB0001", "another kernel"},
	};
	char signature[SIGNATURE_BYTES + 1] = "";
	const int fd = open(device, O_RDONLY | O_CLOEXEC);
	const off_t at = (off_t)cmdline.resume_offset * PAGE + PAGE - SIGNATURE_BYTES;

	if (fd < 0 || pread(fd, signature, SIGNATURE_BYTES, at) != SIGNATURE_BYTES)
		complain("resume: cannot read %s: %s", device, strerror(errno));
	if (fd >= 0)
		close(fd);
	for (size_t i = 0; i < sizeof(makers) / sizeof(*makers); i++)
		if (!strcmp(signature, makers[i].signature))
			return makers[i].maker;
	return NULL;
}

/* Returns only if it failed, with -errno; 0: the kernel could not use the image. */
static int resume(const struct facts *device)
{
	char text[32];
	int error = 0;

	async_synchronize_full(); /* a module that is being loaded could not be frozen */
	if (cmdline.resume_offset) {
		path_print(text, "%llu", cmdline.resume_offset);
		error = file_write("/sys/power/resume_offset", text);
	}
	path_print(text, "%u:%u", device->major, device->minor);
	complain("resume: a hibernated system is on %s: resuming it", device->device);
	return error ? error : file_write("/sys/power/resume", text);
}

/* What the image held is lost when the file systems are changed. Returns if someone wants that. */
static void ask(const struct facts *device)
{
	char answer[64] = "";

	complain(
		"resume: what that system held in memory is lost, and its file systems may be damaged, if this boot goes "
		"on and it is resumed later. noresume on the command line goes on without asking");
	if (!cmdline.no_shell &&
	    prompt("inorder-init: go on, and lose it? Type yes: ", 0, answer, sizeof(answer)) >= 0 &&
	    !strcmp(answer, "yes"))
		return;
	failure("the hibernated system on %s could not be resumed, and nothing was mounted", device->device);
}

static bool find_device(struct facts *device)
{
	if (volumes_wait(&spec, 0, device))
		return true;
	async_synchronize_full(); /* every controller of storage is known */
	usb_wait();
	return volumes_wait(&spec, WAIT_S, device);
}

void resume_try(void)
{
	struct facts device;
	const char *maker;
	int error;

	if (!is_wanted)
		return;
	if (!find_device(&device)) {
		complain("resume=%s is not there: going on without", cmdline.resume);
		return;
	}
	maker = find_image(device.device);
	if (!maker) {
		say("resume: no hibernated system is on %s", device.device);
		return;
	}
	if (strcmp(maker, "the kernel")) {
		complain("resume: the hibernated system on %s was written by %s, which the kernel cannot resume",
			 device.device, maker);
	} else {
		error = resume(&device);
		complain("resume: the kernel did not resume from %s%s%s: its log says why", device.device,
			 error ? ": " : "", error ? strerror(-error) : "");
	}
	ask(&device);
}
