/* SPDX-License-Identifier: MIT */
/* The public calls that wait, and those by which a call gets and sets what concerns itself and its domain. */
#include "rob.h"

int async_synchronize_full(void)
{
	return rob_wait_full(NULL);
}

int async_synchronize_full_domain(struct async_domain *domain)
{
	return rob_wait_full(domain);
}

int async_synchronize_full_special(struct async_domain *list)
{
	return rob_wait_full(list);
}

int async_synchronize_cookie(async_cookie_t cookie)
{
	return rob_wait_below(cookie, rob_default_domain(), 0);
}

int async_synchronize_cookie_domain(async_cookie_t cookie, struct async_domain *domain)
{
	return rob_wait_below(cookie, domain, 0);
}

int async_synchronize_cookie_special(async_cookie_t cookie, struct async_domain *list)
{
	return rob_wait_below(cookie, list, 0);
}

static uint64_t deadline_in(uint64_t timeout_ns)
{
	uint64_t now_ns = port_clock_ns();

	return timeout_ns < UINT64_MAX - now_ns ? now_ns + timeout_ns : UINT64_MAX;
}

int async_synchronize_cookie_timeout(async_cookie_t cookie, struct async_domain *domain, uint64_t timeout_ns)
{
	return rob_wait_below(cookie, domain, deadline_in(timeout_ns));
}

int async_synchronize_call(async_cookie_t cookie, struct async_domain *domain)
{
	return rob_wait_call(cookie, domain, 0);
}

int async_synchronize_call_timeout(async_cookie_t cookie, struct async_domain *domain, uint64_t timeout_ns)
{
	return rob_wait_call(cookie, domain, deadline_in(timeout_ns));
}

int async_synchronize_owner(struct async_owner *owner)
{
	return owner ? rob_wait_owner(owner) : -EINVAL;
}

/* ---- the call that this thread is in ---- */

bool current_is_async(void)
{
	return rob_current();
}

async_cookie_t async_current_cookie(void)
{
	struct rob_frame *call = rob_current();

	return call ? call->cookie : 0;
}

void async_set_name(const char *name)
{
	struct rob_frame *call = rob_current();

	if (call)
		port_name_store(&call->name, name); /* O6 */
}

void async_set_error(int error)
{
	struct rob_frame *call = rob_current();

	if (call)
		call->error = error;
}

struct async_owner *async_owner_enter(struct async_owner *owner)
{
	struct rob_thread *self = port_self();
	struct async_owner *before = self->owner;

	self->owner = owner;
	return before;
}

_Static_assert(ASYNC_BLOCKS == ROB_BLOCKS, "the core has the public hints");

int async_domain_hint(struct async_domain *domain, unsigned int hints)
{
	if (hints & ~ASYNC_BLOCKS)
		return -EINVAL;
	rob_hint(domain, hints);
	return 0;
}

int async_domain_error(struct async_domain *domain, async_cookie_t *cookie)
{
	return rob_error(domain, cookie, false);
}

void async_domain_clear_error(struct async_domain *domain)
{
	rob_error(domain, NULL, true);
}
