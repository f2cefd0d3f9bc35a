/* SPDX-License-Identifier: MIT */
#include <inorder/async.h>

void trace_loader_constructor(async_func_t func);
__attribute__((visibility("default"))) void trace_loader_probe(void *data, async_cookie_t cookie);

void trace_loader_probe(void *data, async_cookie_t cookie)
{
	(void)data;
	(void)cookie;
}

__attribute__((constructor)) static void construct(void)
{
	trace_loader_constructor(trace_loader_probe);
}
