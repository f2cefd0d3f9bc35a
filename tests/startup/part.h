/* SPDX-License-Identifier: MIT */
/* Between the tests of plug-ins and the plug-ins ("parts"): a part does nothing by itself, it asks the host. */
#ifndef TESTS_PART_H
#define TESTS_PART_H

#include <inorder/plugin.h>

#include "order.h"

/* What a part lends the host: all of it is code or data of the part, gone once it is unmapped. */
struct part {
	const char *name;
	async_func_t call;                  /* an async function in the part; data: struct part_job */
	struct async_owner *(*owner)(void); /* THIS_PLUGIN */
	async_func_t init_call;             /* the same in its init code */
	int (*init_code)(void);
	int *init_data;
	async_cookie_t (*schedule)(struct order *order); /* from the part's code */
	async_cookie_t (*jump)(async_func_t func,
			       void *data); /* the same, by a jump: it returns to the caller of this */
};

struct part_job {
	void (*run)(struct part_job *job, async_cookie_t cookie);
	const struct part *part;
	void *data;
};

/* Exported by the test program. Steps: "ctor", "init1", "init2", "exit1", "exit2", "dtor". */
INORDER_API int host_step(const struct part *part, const char *step);

#endif
