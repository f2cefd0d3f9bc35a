/* SPDX-License-Identifier: MIT */
/* Waits of random programs: what they may answer, and what must stand then. */
#include "jobs.h"

atomic_ulong deadlocks;

void waited(void)
{
	figure_add(&round_.figures->waits, 1);
}

/* Whether the wait covered all that it should. */
bool answer(int result, const char *wait)
{
	if (result == -ETIMEDOUT) {
		figure_add(&round_.figures->timed_out, 1);
		return false;
	}
	if (result == -EDEADLK && wild && current_is_async()) {
		atomic_fetch_add(&deadlocks, 1);
		figure_add(&round_.figures->deadlocks, 1);
		return false;
	}
	if (result)
		TFAIL("%s returned %d in cookie %" PRIu64, wait, result, async_current_cookie());
	return true;
}

/* As a parameter of a wait, NULL is all registered domains; the default one has a wait of its own. */
void wait_for_lower(const struct table *table, async_cookie_t bound, bool timed, struct random *random)
{
	struct mark mark;
	int result;

	if (timed && table == &tables[0])
		table = NULL;
	mark_take(&mark, 0);
	waited();
	if (timed)
		result = async_synchronize_cookie_timeout(bound, table ? table->domain : NULL,
							  random_below(random, 200000));
	else if (table == &tables[0])
		result = async_synchronize_cookie(bound);
	else
		result = async_synchronize_cookie_domain(bound, table ? table->domain : NULL);
	if (answer(result, "a wait for a cookie"))
		check_waited(&mark, table, bound, false);
}

void wait_until_empty(const struct table *table)
{
	struct mark mark;
	int result;

	mark_take(&mark, 0);
	waited();
	result = table && table->domain ? async_synchronize_full_domain(table->domain) : async_synchronize_full();
	if (answer(result, "a full wait"))
		check_waited(&mark, table && table->domain ? table : NULL, ASYNC_COOKIE_MAX, true);
}

void wait_call(struct job *job)
{
	waited();
	if (answer(async_synchronize_call(job->cookie, job->domain), "a wait for a call"))
		check_job_complete(job, "a wait for a call");
}

void wait_owner(unsigned int owner)
{
	struct mark mark;

	mark_take(&mark, owner);
	waited();
	if (answer(async_synchronize_owner(&owners[owner - 1]), "a wait for an owner"))
		check_owner_waited(&mark, owner);
}
