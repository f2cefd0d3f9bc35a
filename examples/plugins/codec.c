/* SPDX-License-Identifier: MIT */
/* A plug-in that is up at once. */
#include <stdio.h>

#include <inorder/plugin.h>

static int __init codec_init(void)
{
	printf("codec: tables built\n");
	return 0;
}
subsys_initcall(codec_init);

static void codec_exit(void)
{
	printf("codec: gone\n");
}
exitcall(codec_init, codec_exit);
