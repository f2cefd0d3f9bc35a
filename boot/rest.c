/* SPDX-License-Identifier: MIT */
/* Every other device that has a driver in the image: network, input, watchdogs, ... */
#include "internal.h"

#include <inorder/initcall.h>

static void find_rest(void *data, async_cookie_t cookie)
{
	(void)data;
	(void)cookie;
	async_set_name("rest_find");
	if (!rest_wanted_late())
		return;
	cards_wait(); /* interfaces on USB come after those on PCI */
	device_find("/sys/devices", MODULE_PROBE_ASYNC);
	root_look(true);
}

static int probe_rest(void)
{
	async_schedule_domain(find_rest, NULL, &rest_domain);
	return 0;
}
late_initcall(probe_rest);

void rest_wait(void)
{
	usb_wait();
	cards_wait();
	async_synchronize_full_domain(&rest_domain);
}
