/* SPDX-License-Identifier: MIT */
/* A plug-in whose device takes a second to warm up: its load takes that long, and no other load does. */
#include <stdio.h>
#include <unistd.h>

#include <inorder/plugin.h>

static void warm_up(void *data, async_cookie_t cookie)
{
	(void)data;
	(void)cookie;
	sleep(1);
	printf("scanner: warm\n");
}

static ASYNC_DOMAIN_EXCLUSIVE(scanner);

static int __init scanner_init(void)
{
	async_schedule_domain(warm_up, NULL, &scanner);
	return 0;
}
device_initcall(scanner_init);

static void scanner_exit(void)
{
	printf("scanner: gone\n");
}
exitcall(scanner_init, scanner_exit);
