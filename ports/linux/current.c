// SPDX-License-Identifier: MIT OR GPL-2.0
/* The public calls about the current call, about a domain's error, and the one that takes calls back. */
#include <linux/export.h>

#include "internal.h"

/**
 * current_is_async - tell whether current is inside a call
 *
 * Return: true in a call's function, its retire step included, whoever runs it; false in an interrupt meanwhile.
 */
bool current_is_async(void)
{
	return rob_current() != NULL;
}
EXPORT_SYMBOL_GPL(current_is_async);

/**
 * async_current_cookie - the cookie of the call that current is inside
 *
 * Return: the cookie of the innermost call; 0 outside of one.
 */
async_cookie_t async_current_cookie(void)
{
	struct rob_frame *call = rob_current();

	return call ? call->cookie : 0;
}
EXPORT_SYMBOL_GPL(async_current_cookie);

/**
 * async_set_name - name the current call in traces and reports
 * @name: kept by pointer until the call is complete; NULL: by its function again
 */
void async_set_name(const char *name)
{
	struct rob_frame *call = rob_current();

	if (call)
		port_name_store(&call->name, name);
}
EXPORT_SYMBOL_GPL(async_set_name);

/**
 * async_set_error - say that the current call has failed
 * @error: what async_domain_error() is to return
 */
void async_set_error(int error)
{
	struct rob_frame *call = rob_current();

	if (call)
		call->error = error;
}
EXPORT_SYMBOL_GPL(async_set_error);

/**
 * async_domain_error - the error of the lowest failed call of a domain
 * @domain: the domain, or NULL for the default one
 * @cookie: where the cookie of that call is stored, 0 if there is none; may be NULL
 *
 * Return: what that call gave to async_set_error(); final after a full wait.
 */
int async_domain_error(struct async_domain *domain, async_cookie_t *cookie)
{
	return rob_error(domain, cookie, false);
}
EXPORT_SYMBOL_GPL(async_domain_error);

/**
 * async_domain_clear_error - forget the error of a domain
 * @domain: the domain, or NULL for the default one
 */
void async_domain_clear_error(struct async_domain *domain)
{
	rob_error(domain, NULL, true);
}
EXPORT_SYMBOL_GPL(async_domain_clear_error);

/* The call that is taken back is the innermost one of this task. */
static void release_call(void *data, async_cookie_t cookie)
{
	struct port_task *task = port_task_of(port_self());

	data = port_near_release(rob_frame_slot(task->thread.top), data);
	if (task->release)
		task->release(data, cookie);
}

/**
 * async_cancel_domain - take back the calls of a domain that no thread has claimed
 * @domain: the domain, or NULL for the default one
 * @release: called here for each such call, before it counts as complete; may be NULL
 *
 * Context: may sleep if @release does.
 * Return: how many calls were taken back.
 */
unsigned int async_cancel_domain(struct async_domain *domain, void (*release)(void *data, async_cookie_t cookie))
{
	struct port_task task, *self = port_task_of(port_enter(&task));
	port_release before = self->release; /* of the one whose release calls this */
	unsigned int count;

	self->release = release;
	count = rob_cancel(domain, release_call);
	self->release = before;
	port_leave(&task);
	return count;
}
EXPORT_SYMBOL_GPL(async_cancel_domain);
