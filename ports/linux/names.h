/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/*
 * The core's public calls under names of their own: async.c wraps them, since a
 * task that waits, or runs a call itself, has to be entered in the table of tasks
 * first. And one static function of the core that is called like the kernel's.
 */
#ifndef NAMES_H
#define NAMES_H

async_cookie_t rob_async_schedule(async_func_t func, void *data);
async_cookie_t rob_async_schedule_domain(async_func_t func, void *data, struct async_domain *domain);
async_cookie_t rob_async_schedule_node(async_func_t func, void *data, int node);
async_cookie_t rob_async_schedule_node_domain(async_func_t func, void *data, int node, struct async_domain *domain);
async_cookie_t rob_async_schedule_special(async_func_t func, void *data, struct async_domain *list);
async_cookie_t rob_async_schedule_ordered(async_func_t func, async_func_t retire, void *data,
					  struct async_domain *domain);
async_cookie_t rob_async_schedule_entry(struct async_entry *entry, async_func_t func, async_func_t retire, void *data,
					struct async_domain *domain);
bool rob_async_try_schedule(async_func_t func, void *data, struct async_domain *domain, async_cookie_t *cookie);
int rob_async_synchronize_full(void);
int rob_async_synchronize_full_domain(struct async_domain *domain);
int rob_async_synchronize_full_special(struct async_domain *list);
int rob_async_synchronize_cookie(async_cookie_t cookie);
int rob_async_synchronize_cookie_domain(async_cookie_t cookie, struct async_domain *domain);
int rob_async_synchronize_cookie_special(async_cookie_t cookie, struct async_domain *list);
int rob_async_synchronize_cookie_timeout(async_cookie_t cookie, struct async_domain *domain, uint64_t timeout_ns);
int rob_async_synchronize_call(async_cookie_t cookie, struct async_domain *domain);
int rob_async_synchronize_owner(struct async_owner *owner);
bool rob_current_is_async(void);
async_cookie_t rob_async_current_cookie(void);
void rob_async_set_name(const char *name);
void rob_async_set_error(int error);
int rob_async_domain_error(struct async_domain *domain, async_cookie_t *cookie);
void rob_async_domain_clear_error(struct async_domain *domain);
unsigned int rob_async_cancel_domain(struct async_domain *domain, void (*release)(void *data, async_cookie_t cookie));
struct async_owner *rob_async_owner_enter(struct async_owner *owner);
void rob_async_report(int fd);
int rob_async_quiesce_begin(void);
int rob_async_quiesce_end(void);

#ifndef PORT_OWN_NAMES /* the core's files, that is */
#define async_schedule rob_async_schedule
#define async_schedule_domain rob_async_schedule_domain
#define async_schedule_node rob_async_schedule_node
#define async_schedule_node_domain rob_async_schedule_node_domain
#define async_schedule_special rob_async_schedule_special
#define async_schedule_ordered rob_async_schedule_ordered
#define async_schedule_entry rob_async_schedule_entry
#define async_try_schedule rob_async_try_schedule
#define async_synchronize_full rob_async_synchronize_full
#define async_synchronize_full_domain rob_async_synchronize_full_domain
#define async_synchronize_full_special rob_async_synchronize_full_special
#define async_synchronize_cookie rob_async_synchronize_cookie
#define async_synchronize_cookie_domain rob_async_synchronize_cookie_domain
#define async_synchronize_cookie_special rob_async_synchronize_cookie_special
#define async_synchronize_cookie_timeout rob_async_synchronize_cookie_timeout
#define async_synchronize_call rob_async_synchronize_call
#define async_synchronize_owner rob_async_synchronize_owner
#define current_is_async rob_current_is_async
#define async_current_cookie rob_async_current_cookie
#define async_set_name rob_async_set_name
#define async_set_error rob_async_set_error
#define async_domain_error rob_async_domain_error
#define async_domain_clear_error rob_async_domain_clear_error
#define async_cancel_domain rob_async_cancel_domain
#define async_owner_enter rob_async_owner_enter
#define async_report rob_async_report
#define async_quiesce_begin rob_async_quiesce_begin
#define async_quiesce_end rob_async_quiesce_end
#define schedule rob_schedule_request
#endif

#endif
