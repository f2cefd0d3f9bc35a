/* SPDX-License-Identifier: MIT */
/* The initcalls of the test program, its library and a library loaded later: each writes its name down. */
#ifndef TESTS_CALLS_H
#define TESTS_CALLS_H

#include <inorder/initcall.h>

/* Exported by the test program. Returns what the initcall is to return. */
INORDER_API int called(const char *name);

#define CALL(name) \
	static int name(void) \
	{ \
		return called(#name); \
	}

#endif
