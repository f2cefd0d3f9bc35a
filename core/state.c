/* SPDX-License-Identifier: MIT */
/* The one state of the library, and what of it begins anew after a fork. */
#include "core.h"

struct rob rob = {.main_domain = ASYNC_DOMAIN_NAMED_INIT("default")};

/* The domain meant, fresh if it was last used before a fork. */
struct async_domain *rob_domain(struct async_domain *domain)
{
	if (!domain)
		domain = &rob.main_domain;
	if (port_unlikely(domain->generation != rob.generation)) {
		unsigned exclusive = domain->exclusive;

		memset(domain, 0, offsetof(struct async_domain, lowest));
		domain->exclusive = exclusive;
		port_store64_release(&domain->lowest, 0); /* waits look at it without the lock (O4) */
		domain->generation = rob.generation;
	}
	return domain;
}

struct async_domain *rob_default_domain(void)
{
	return &rob.main_domain;
}

void rob_owner_refresh(struct async_owner *owner)
{
	if (!owner || owner->generation == rob.generation)
		return;
	owner->generation = rob.generation;
	owner->in_progress = 0;
}
