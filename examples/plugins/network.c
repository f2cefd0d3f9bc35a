/* SPDX-License-Identifier: MIT */
/* A plug-in whose two connections are made at once, and reported in order. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include <inorder/plugin.h>

static ASYNC_DOMAIN(connections);

static void connect_to(void *server, async_cookie_t cookie)
{
	(void)server;
	(void)cookie;
	usleep(100000); /* the server's answer takes its time */
}

static void report(void *server, async_cookie_t cookie)
{
	(void)cookie;
	printf("network: connected to %s\n", (char *)server);
}

static int __init network_init(void)
{
	if (!async_schedule_ordered(connect_to, report, "the first server", &connections) ||
	    !async_schedule_ordered(connect_to, report, "the second server", &connections))
		return -ENOMEM;
	return 0;
}
device_initcall(network_init);

static void network_exit(void)
{
	printf("network: gone\n");
}
exitcall(network_init, network_exit);
