/* SPDX-License-Identifier: MIT */
/* Unit tests: UNIT(name) { body }, each known by itself; UNIT_MAIN() runs them with cmocka, in the order of a file. */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct CMUnitTest unit_tests[32] __attribute__((unused));
static size_t unit_count __attribute__((unused));

#define UNIT(id) \
	static void id(void **state); \
	__attribute__((constructor)) static void unit_add_##id(void) \
	{ \
		unit_tests[unit_count++] = (struct CMUnitTest){.name = #id, .test_func = id}; \
	} \
	static void id(void **state)

#define UNIT_RUN(setup, teardown) _cmocka_run_group_tests(__FILE__, unit_tests, unit_count, setup, teardown)
#define UNIT_MAIN(setup, teardown) \
	int main(void) \
	{ \
		return UNIT_RUN(setup, teardown); \
	}

#endif
