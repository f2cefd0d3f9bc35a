/* SPDX-License-Identifier: MIT */
/*
 * Waiting for the root. Three things wake the waiter: the root was seen, a
 * uevent (then whatever is new is looked at), the limit, which counts from
 * when every driver has been tried.
 */
#include "internal.h"
#include "root_device.h"

#include <errno.h>
#include <inorder/initcall.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

enum { MESSAGE_BYTES = 8192, MOST_S = 300, LAST_S = 2 };

static ASYNC_DOMAIN_EXCLUSIVE(settle_domain);
static atomic_bool settled; /* whatever could bring a disk has been tried */
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

	if (is_finisher() || !cmdline.rootfstype || !strcmp(cmdline.rootfstype, "auto"))
		return 0;
	path_print(types, "%s", cmdline.rootfstype);
	for (char *rest = types, *type; (type = strsep(&rest, ","));) {
		path_print(alias, "fs-%s", type);
		modules_request(alias, MODULE_FOR_ROOT, &filesystem);
	}
	return 0;
}
fs_initcall(load_filesystem);

int root_wait_filesystem(const char *type)
{
	char alias[64], why[256];
	int error;

	path_print(alias, "fs-%s", type);
	modules_request(alias, MODULE_FOR_ROOT, &filesystem);
	error = modules_wait_why(&filesystem, why, sizeof(why));
	if (error)
		complain("root: the driver of %s could not be loaded, the mount may fail: module %s", type, why);
	return error;
}

static bool is_found(void)
{
	return root_is_found();
}

static void settle(void *data, async_cookie_t cookie)
{
	(void)data;
	(void)cookie;
	async_set_name("root_settle");
	rest_wait();
	settled = true;
	root_wake();
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
	struct pollfd fds[] = {{.fd = root_event(), .events = POLLIN}, {.fd = events, .events = POLLIN}};
	const uint64_t now = now_ns();
	int timeout_ms = -1;

	if (deadline_ns != UINT64_MAX)
		timeout_ms = deadline_ns > now ? (int)((deadline_ns - now + 999999) / 1000000) : 0;
	if (poll(fds, 2, timeout_ms) < 0 && errno != EINTR)
		complain("root: cannot wait for events: %s", strerror(errno));
	if (fds[0].revents)
		root_woken();
	if (fds[1].revents)
		read_events();
}

/* Waits @limit_s seconds from when all that can be found is found; @most_s at most for that. UINT_MAX: no limit. */
static bool wait_for_root(unsigned int limit_s, unsigned int most_s)
{
	uint64_t deadline_ns = now_ns() + most_s * NSEC_PER_SEC;
	bool limited = false;

	if (limit_s == UINT_MAX)
		deadline_ns = UINT64_MAX;
	while (!is_found() && now_ns() < deadline_ns) {
		if (settled && !limited && limit_s != UINT_MAX) {
			deadline_ns = now_ns() + limit_s * NSEC_PER_SEC;
			limited = true;
		}
		wait_event(deadline_ns);
	}
	return is_found();
}

bool root_wait(void)
{
	async_schedule_domain(settle, NULL, &settle_domain); /* after all the rest was scheduled */
	if (wait_for_root(cmdline.wait_s, MOST_S))
		return true;
	if (!settled)
		complain("root: a driver has been busy for %d s; not waiting any longer for it", MOST_S);
	if (raid_assemble(true)) {
		root_look(false);
		if (wait_for_root(LAST_S, LAST_S))
			return true;
	}
	return root_look_closely();
}
