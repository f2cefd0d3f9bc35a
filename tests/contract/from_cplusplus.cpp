// SPDX-License-Identifier: MIT
// The header from C++: initialisers, callbacks without casts, exceptions.
#include <cstdio>
#include <stdexcept>
#include <vector>

#include <inorder/async.h>

extern "C" bool cplusplus_works(void);
extern "C" void cplusplus_throws(void);

namespace {

ASYNC_DOMAIN(registered);
ASYNC_DOMAIN_EXCLUSIVE(exclusive);
ASYNC_OWNER(owner);

void throw_it(void *, async_cookie_t)
{
	throw std::runtime_error("out of a call");
}

void throw_and_catch(void *data, async_cookie_t cookie)
{
	try {
		throw_it(data, cookie);
	} catch (const std::exception &) {
		*static_cast<async_cookie_t *>(data) = cookie;
	}
}

} // namespace

bool cplusplus_works(void)
{
	std::vector<async_cookie_t> cookies(100), seen(100);
	std::vector<async_cookie_t> retired;
	async_cookie_t caught = 0;
	auto append = [](void *data, async_cookie_t cookie) {
		static_cast<std::vector<async_cookie_t> *>(data)->push_back(cookie);
	};
	async_owner *before = async_owner_enter(&owner);

	for (size_t i = 0; i < cookies.size(); i++)
		cookies[i] = async_schedule_domain([](void *data, async_cookie_t cookie) {
			*static_cast<async_cookie_t *>(data) = cookie;
		}, &seen[i], i % 2 ? &registered : &exclusive);
	for (int i = 0; i < 50; i++)
		async_schedule_ordered([](void *, async_cookie_t) {}, append, &retired, &registered);
	async_schedule(throw_and_catch, &caught);
	async_owner_enter(before);
	if (async_synchronize_owner(&owner) || async_synchronize_full() || async_synchronize_full_domain(&exclusive))
		return false;
	for (size_t i = 1; i < retired.size(); i++)
		if (retired[i] <= retired[i - 1])
			return false;
	return seen == cookies && retired.size() == 50 && caught != 0;
}

void cplusplus_throws(void)
{
	async_schedule(throw_it, nullptr);
	async_synchronize_full();
	std::puts("went on");
}
