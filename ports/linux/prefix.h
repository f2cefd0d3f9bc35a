/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/*
 * The module's names. It loads beside the kernel's own async.c and cannot export
 * that one's names, so each public name gets a prefix. Kbuild has every file of a
 * module build include this first; a build in the kernel's tree does without.
 */
#ifndef PREFIX_H
#define PREFIX_H

/* in the headers */
#ifndef CONFIG_ASYNC_INORDER
#define CONFIG_ASYNC_INORDER 1
#endif

#define async_init inorder_async_init
#define async_schedule inorder_async_schedule
#define async_schedule_domain inorder_async_schedule_domain
#define async_schedule_dev inorder_async_schedule_dev
#define async_schedule_dev_domain inorder_async_schedule_dev_domain
#define async_schedule_dev_nocall inorder_async_schedule_dev_nocall
#define async_schedule_node inorder_async_schedule_node
#define async_schedule_node_domain inorder_async_schedule_node_domain
#define async_schedule_ordered inorder_async_schedule_ordered
#define async_schedule_entry inorder_async_schedule_entry
#define async_try_schedule inorder_async_try_schedule
#define async_synchronize_full inorder_async_synchronize_full
#define async_synchronize_full_domain inorder_async_synchronize_full_domain
#define async_synchronize_cookie inorder_async_synchronize_cookie
#define async_synchronize_cookie_domain inorder_async_synchronize_cookie_domain
#define async_synchronize_cookie_timeout inorder_async_synchronize_cookie_timeout
#define async_synchronize_call inorder_async_synchronize_call
#define async_synchronize_owner inorder_async_synchronize_owner
#define current_is_async inorder_current_is_async
#define async_current_cookie inorder_async_current_cookie
#define async_set_name inorder_async_set_name
#define async_set_error inorder_async_set_error
#define async_domain_error inorder_async_domain_error
#define async_domain_clear_error inorder_async_domain_clear_error
#define async_cancel_domain inorder_async_cancel_domain
#define async_load_begin inorder_async_load_begin
#define async_load_init_done inorder_async_load_init_done
#define async_load_wait inorder_async_load_wait
#define async_load_end inorder_async_load_end
#define async_request_begin inorder_async_request_begin
#define async_request_end inorder_async_request_end

#endif
