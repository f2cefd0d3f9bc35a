/* SPDX-License-Identifier: MIT */
/*
 * Waiting for the root. Three things wake the waiter: the root was seen, a
 * uevent (then whatever is new is looked at), the limit. In between stands the
 * watch: when the controllers that the root is most likely behind are known
 * and the root was not among their disks, it assembles RAID arrays and then
 * lets the rest begin (USB and all that is slow or unlikely).
 */
#include "internal.h"

#include <errno.h>
#include <inorder/initcall.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MESSAGE_BYTES = 8192, LAST_S = 1 };

static ASYNC_DOMAIN_EXCLUSIVE(watch_domain);
static async_cookie_t watch_cookie;
static struct module_set filesystem;
static int events = -1;

static int open_events(void)
{
	events = uevent_open();
	return events < 0 ? events : 0;
}
core_initcall(open_events);

/* The driver of the file system is big, and needs no device: it is the first to be loaded, beside the finds. */
static int load_filesystem(void)
{
	char types[256], alias[64];

	if (is_finisher() || !cmdline.rootfstype)
		return 0;
	path_print(types, "%s", cmdline.rootfstype);
	for (char *rest = types, *type; (type = strsep(&rest, ","));) {
		path_print(alias, "fs-%s", type);
		modules_request(alias, MODULE_FOR_ROOT, &filesystem);
	}
	return 0;
}
fs_initcall(load_filesystem);

void root_wait_filesystem(const char *type)
{
	char alias[64];

	path_print(alias, "fs-%s", type);
	modules_request(alias, MODULE_FOR_ROOT, &filesystem);
	if (modules_wait(&filesystem))
		complain("root: the driver of %s could not be loaded: the mount may fail", type);
}

static bool is_found(void)
{
	return root_device(NULL, 0, NULL, 0);
}

static void watch(void *data, async_cookie_t cookie)
{
	(void)data;
	(void)cookie;
	async_set_name("root_watch");
	async_synchronize_full();
	if (is_found() || is_finisher() || !raid_assemble(false))
		return;
	root_look(false);
	async_synchronize_full();
}

static int start_watch(void)
{
	root_look(false); /* what is built into the kernel is there already */
	watch_cookie = async_schedule_domain(watch, NULL, &watch_domain);
	return 0;
}
late_initcall(start_watch);

bool rest_wanted(void)
{
	async_synchronize_call(watch_cookie, &watch_domain);
	return cmdline.serial || is_finisher() || !is_found();
}

static void read_events(void)
{
	char buffer[MESSAGE_BYTES];
	struct uevent event;
	bool lost, look = false;

	while (uevent_read(events, buffer, sizeof(buffer), &event, &lost))
		if (lost || (!strcmp(event.subsystem, "block") && strcmp(event.action, "remove")))
			look = true;
	if (look)
		root_look(false);
}

/* Waits for the root, an event or the deadline. */
static void wait_event(uint64_t deadline_ns)
{
	struct pollfd fds[] = { { .fd = root_event(), .events = POLLIN }, { .fd = events, .events = POLLIN } };
	const uint64_t now = now_ns();
	int timeout_ms = -1;

	if (deadline_ns != UINT64_MAX)
		timeout_ms = deadline_ns > now ? (int)((deadline_ns - now + 999999) / 1000000) : 0;
	if (poll(fds, 2, timeout_ms) < 0 && errno != EINTR)
		complain("root: cannot wait for events: %s", strerror(errno));
	if (fds[1].revents)
		read_events();
}

static bool wait_until(uint64_t deadline_ns)
{
	while (!is_found() && now_ns() < deadline_ns)
		wait_event(deadline_ns);
	return is_found();
}

bool root_wait(void)
{
	const uint64_t limit_ns = cmdline.wait_s * NSEC_PER_SEC;

	if (wait_until(cmdline.wait_s == UINT_MAX ? UINT64_MAX : now_ns() + limit_ns))
		return true;
	if (!raid_assemble(true))
		return false;
	root_look(false);
	return wait_until(now_ns() + LAST_S * NSEC_PER_SEC);
}
