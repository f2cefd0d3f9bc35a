/* SPDX-License-Identifier: MIT */
/*
 * The watch: when the controllers that the root is most likely behind are
 * known and the root was not among their disks, it makes the volumes that are
 * on them and then lets the rest begin (USB and all that is slow or unlikely).
 */
#include "internal.h"
#include "root_choice.h"
#include "root_device.h"
#include "volumes.h"

#include <inorder/initcall.h>

ASYNC_DOMAIN_EXCLUSIVE(rest_domain);
static ASYNC_DOMAIN_EXCLUSIVE(watch_domain);
static async_cookie_t watch_cookie;

static void watch(void *data, async_cookie_t cookie)
{
	(void)data;
	(void)cookie;
	async_set_name("root_watch");
	async_synchronize_full();
	if (root_is_found() || is_finisher())
		return;
	volumes_build(root_wanted(), VOLUMES_QUIET);
	root_wake(); /* from now on volumes are made as their devices come */
}

static int start_watch(void)
{
	root_look(false); /* what is built into the kernel is there already */
	choice_begin();
	watch_cookie = async_schedule_domain(watch, NULL, &watch_domain);
	return 0;
}
late_initcall(start_watch);

bool rest_wanted(void)
{
	async_synchronize_call(watch_cookie, &watch_domain);
	if (cmdline.serial || is_finisher())
		return true;
	return !root_is_found();
}
