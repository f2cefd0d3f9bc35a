/* SPDX-License-Identifier: MIT */
/*
 * Waiting for the root. Three things wake the waiter: the root was seen, a
 * uevent (then whatever is new is looked at), the limit, which counts from
 * when every driver has been tried.
 */
#include "devices.h"
#include "internal.h"
#include "root_device.h"
#include "volumes.h"

#include <errno.h>
#include <inorder/initcall.h>
#include <inorder/trace.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

enum { MESSAGE_BYTES = 8192, MOST_S = 300, LAST_S = 2, QUIET_S = 10 };

static ASYNC_DOMAIN_EXCLUSIVE(settle_domain);
static atomic_bool settled; /* whatever could bring a disk has been tried */
static atomic_bool late;    /* devices are named as they come, and events load their drivers */
static int events = -1;

static int open_events(void)
{
	events = uevent_open();
	return events < 0 ? events : 0;
}
core_initcall(open_events);

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
	/*
	 * Once the root is found, the calls of the rest do nothing: not all that is there was loaded and named, and
	 * the finisher goes on in order. It has no root to wait for.
	 */
	if (!root_is_found() && !is_finisher()) {
		holds_release();
		late = true;
		device_find("/sys/devices", MODULE_PROBE_ASYNC); /* what came before an event could load its driver */
		root_look(false);
	}
	settled = true;
	root_wake();
}

static void sweep(void *data, async_cookie_t cookie)
{
	(void)data;
	(void)cookie;
	async_set_name("root_sweep");
	device_find("/sys/devices", MODULE_PROBE_ASYNC);
	root_look(true);
}

/* Once all that was there is named, whatever is plugged in gets its driver, and the kernel binds it. */
static void load_late(const struct uevent *event)
{
	if (late && event->modalias && !strcmp(event->action, "add"))
		modules_request(event->modalias, MODULE_PROBE_ASYNC, NULL);
}

static void read_events(void)
{
	char buffer[MESSAGE_BYTES];
	struct uevent event;
	bool lost, look = false;

	while (uevent_read(events, buffer, sizeof(buffer), &event, &lost)) {
		if (lost && late)
			async_schedule_domain(sweep, NULL, &find_domain);
		else if (!lost)
			load_late(&event);
		if (lost || (!strcmp(event.subsystem, "block") && strcmp(event.action, "remove")))
			look = true;
		else if (!strcmp(event.subsystem, "block") && event.devname) {
			devices_gone(event.devname);
			raid_member_gone(event.devname);
		}
	}
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

static void say_tried(unsigned int limit_s)
{
	static bool said;

	if (said)
		return;
	said = true;
	if (limit_s == UINT_MAX)
		complain("root: every driver was tried and root=%s is not there: waiting for it without limit",
			 cmdline.root);
	else
		complain("root: every driver was tried and root=%s is not there: waiting for it for %u s", cmdline.root,
			 limit_s);
}

/* What stands on the devices that came; the time that someone takes to answer does not count. */
static bool make_volumes(uint64_t *deadline_ns)
{
	const uint64_t before = now_ns();
	const bool any = volumes_build(root_wanted(), settled ? VOLUMES_ANY : VOLUMES_ASK);

	if (*deadline_ns != UINT64_MAX)
		*deadline_ns += now_ns() - before;
	return any;
}

/* Once nothing has come for a while: who is waited for. The library's watchdog says which calls are not over. */
static void say_waiting(uint64_t now, uint64_t deadline_ns)
{
	char devices[512];

	root_seen(devices, sizeof(devices));
	if (deadline_ns == UINT64_MAX)
		complain("root: still waiting for root=%s, without limit. Block devices: %s", cmdline.root, devices);
	else
		complain("root: still waiting for root=%s, %llu s more at most. Block devices: %s", cmdline.root,
			 (unsigned long long)((deadline_ns - now) / NSEC_PER_SEC), devices);
}

/* Waits @limit_s seconds from when all that can be found is found; @most_s at most for that. UINT_MAX: no limit. */
static bool wait_for_root(unsigned int limit_s, unsigned int most_s)
{
	const uint64_t since_ns = async_trace_wait_begin("event root");
	uint64_t deadline_ns = now_ns() + most_s * NSEC_PER_SEC, say_ns = now_ns() + QUIET_S * NSEC_PER_SEC;
	bool limited = false;

	if (limit_s == UINT_MAX)
		deadline_ns = UINT64_MAX;
	while (!is_found() && now_ns() < deadline_ns) {
		if (settled && !limited) {
			limited = true;
			deadline_ns = limit_s == UINT_MAX ? UINT64_MAX : now_ns() + limit_s * NSEC_PER_SEC;
			say_tried(limit_s);
		}
		if (now_ns() >= say_ns) {
			say_waiting(now_ns(), deadline_ns);
			say_ns = UINT64_MAX;
		}
		if (!make_volumes(&deadline_ns))
			wait_event(deadline_ns < say_ns ? deadline_ns : say_ns);
	}
	async_trace_wait_end("event root", since_ns);
	return is_found();
}

bool root_wait(void)
{
	async_schedule_domain(settle, NULL, &settle_domain); /* after all the rest was scheduled */
	if (wait_for_root(cmdline.wait_s, MOST_S))
		return true;
	if (!settled)
		complain("root: a driver has been busy for %d s; not waiting any longer for it", MOST_S);
	if (volumes_build(root_wanted(), VOLUMES_LAST) && wait_for_root(LAST_S, LAST_S))
		return true;
	return root_look_closely();
}
