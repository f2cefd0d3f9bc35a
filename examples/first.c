/* SPDX-License-Identifier: MIT */
#include <inorder/async.h>
#include <stdio.h>
#include <unistd.h>

static void probe(void *disk, async_cookie_t cookie)
{
	sleep(1);                                /* the slow part: all three at once */
	async_synchronize_cookie(cookie);        /* now every earlier call is done, */
	printf("disk %s found\n", (char *)disk); /* so lines come in program order */
}

int main(void)
{
	async_schedule(probe, "a");
	async_schedule(probe, "b");
	async_schedule(probe, "c");
	return async_synchronize_full(); /* after one second, not three */
}
