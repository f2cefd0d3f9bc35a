/* SPDX-License-Identifier: MIT */
/* A library without initcalls, between two parts. */
#include "order.h"

const char *part_b(void);
const char *between(void);
async_cookie_t between_schedule(struct order *order);

const char *between(void)
{
	return part_b();
}

async_cookie_t between_schedule(struct order *order)
{
	return schedule_order(order);
}
