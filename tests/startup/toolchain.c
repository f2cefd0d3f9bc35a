/* SPDX-License-Identifier: MIT */
/* What toolchains.sh compiles in every way: prints what ran, and whether init code is gone once it was freed. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>

#include <inorder/plugin.h>

#include "calls.h"

int called(const char *name)
{
	puts(name);
	return 0;
}

static int INITCALL_DATA value = 1;

static int INITCALL_TEXT init_code(void)
{
	return value;
}

static sigjmp_buf back;

static void fault(int signal_number)
{
	siglongjmp(back, signal_number);
}

static const char *state_of(int (*volatile function)(void))
{
	signal(SIGSEGV, fault);
	return sigsetjmp(back, 1) ? "gone" : function() ? "there" : "wrong";
}

int main(int argc, char **argv)
{
	struct plugin *plugin = NULL;

	if (initcalls_run(0))
		return 1;
	if (argc > 1 && (plugin_load(argv[1], 0, &plugin) || plugin_unload(plugin))) {
		puts(plugin_error());
		return 1;
	}
	printf("init code: %s\n", state_of(init_code));
	if (!initcalls_free())
		return 1;
	printf("init code: %s\n", state_of(init_code));
	fflush(stdout);
	return 0;
}
