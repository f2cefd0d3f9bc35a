/* SPDX-License-Identifier: MIT */
/*
 * Some calls of each kind, for a log of them: plain, ordered, failing, waiting, with and without a name. The
 * first marks come before the first call. Started with INORDER_DEBUG=initcall.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

#include <inorder/trace.h>

static ASYNC_DOMAIN_EXCLUSIVE(disks);

/* Long enough to be seen in a picture of the whole. */
static void work(unsigned int milliseconds)
{
	struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000L};

	while (nanosleep(&time, &time) != 0)
		;
}

static atomic_bool main_waits; /* or is just about to: else a busy machine could be done with the disks before */

static void probe_disk(void *data, async_cookie_t cookie)
{
	(void)cookie;
	async_set_name(data);
	while (!main_waits)
		work(1);
	work(40);
}

static void name_disk(void *data, async_cookie_t cookie)
{
	(void)data;
	(void)cookie;
	work(10);
}

static void scan_bus(void *data, async_cookie_t cookie)
{
	(void)data;
	async_set_name("scan bus");
	work(20);
	async_synchronize_cookie_domain(cookie, &disks);
	async_set_error(-5);
}

static void unnamed(void *data, async_cookie_t cookie)
{
	(void)data;
	(void)cookie;
	work(30);
}

int main(void)
{
	static char names[3][8] = {"sda", "sdb", "sdc"};
	uint64_t since_ns;

	async_trace_phase("disks");
	since_ns = async_trace_calling(NULL, "mount /proc");
	work(15);
	async_trace_called(NULL, "mount /proc", 0, since_ns);
	for (int i = 0; i < 3; i++)
		if (!async_schedule_ordered(probe_disk, name_disk, names[i], &disks))
			return 1;
	async_schedule(scan_bus, NULL);
	async_schedule(unnamed, NULL);
	main_waits = true;
	async_synchronize_full_domain(&disks);
	async_synchronize_full();
	return 0;
}
