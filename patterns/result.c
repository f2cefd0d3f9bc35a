/* SPDX-License-Identifier: MIT */
/* A call with a result. */
#include <errno.h>

#include <inorder/patterns.h>

#include "rob.h"

static void make_result(void *data, async_cookie_t cookie)
{
	struct async_result *result = data;
	void *value = NULL;

	(void)cookie;
	result->error = result->func(result->data, &value);
	if (result->error)
		async_set_error(result->error);
	else
		result->value = value;
}

async_cookie_t async_schedule_result(struct async_result *result, async_result_func_t func, void *data,
				     struct async_domain *domain)
{
	/* One whose call is in progress stays as it is; that is refused below, with a report. */
	if (rob_entry_in_progress(&result->entry))
		return async_schedule_entry(&result->entry, func ? make_result : NULL, NULL, result, domain);
	result->domain = domain;
	result->func = func;
	result->data = data;
	result->value = NULL;
	result->error = -ECANCELED; /* what remains if the function does not run */
	result->cookie = 0;
	/* The call does not use the cookie, so it may be stored while the call runs. */
	result->cookie = async_schedule_entry(&result->entry, func ? make_result : NULL, NULL, result, domain);
	return result->cookie;
}

int async_result_get(struct async_result *result, void **value)
{
	int error = async_synchronize_call(result->cookie, result->domain);

	if (error)
		return error;
	if (!result->error && value)
		*value = result->value;
	return result->error;
}
