/* SPDX-License-Identifier: MIT */
/* Scheduling from the code of the object that includes this, with or without initcalls. */
#ifndef TESTS_ORDER_H
#define TESTS_ORDER_H

#include <inorder/async.h>

/* Every way to schedule. */
enum via { PLAIN, DOMAIN, NODE, NODE_DOMAIN, SPECIAL, TRY, ORDERED, ENTRY, VIAS };

struct order {
	enum via via;
	async_func_t func, retire;
	void *data;
	struct async_domain *domain;
	struct async_entry entry;
};

/* No jump at its end: the call returns to here. */
__attribute__((noinline, unused)) static async_cookie_t schedule_order(struct order *order)
{
	async_cookie_t cookie = 0;

	switch (order->via) {
	case PLAIN:
		cookie = async_schedule(order->func, order->data);
		break;
	case DOMAIN:
		cookie = async_schedule_domain(order->func, order->data, order->domain);
		break;
	case NODE:
		cookie = async_schedule_node(order->func, order->data, 0);
		break;
	case NODE_DOMAIN:
		cookie = async_schedule_node_domain(order->func, order->data, 0, order->domain);
		break;
	case SPECIAL:
		cookie = async_schedule_special(order->func, order->data, order->domain);
		break;
	case TRY:
		async_try_schedule(order->func, order->data, order->domain, &cookie);
		break;
	case ORDERED:
		cookie = async_schedule_ordered(order->func, order->retire, order->data, order->domain);
		break;
	case ENTRY:
		cookie = async_schedule_entry(&order->entry, order->func, order->retire, order->data, order->domain);
		break;
	case VIAS:
		break;
	}
	__asm__ volatile("" ::: "memory");
	return cookie;
}

#endif
