// SPDX-License-Identifier: MIT
// Calls that throw, inside of blocks that would catch.
#include <cstdio>
#include <exception>
#include <stdexcept>

#include <inorder/async.h>
#include <semaphore.h>

extern "C" void catch_around_scheduling(void);
extern "C" void catch_around_waiting(void);
extern "C" void catch_around_cancelling(void);

namespace {

ASYNC_DOMAIN(domain);
sem_t begun, open_gate;

void throw_it(void *, async_cookie_t)
{
	throw std::runtime_error("out of a call");
}

void nothing(void *, async_cookie_t)
{
}

void stand(void *, async_cookie_t)
{
	sem_post(&begun);
	sem_wait(&open_gate);
}

// A worker's wait runs what it awaits, there being no other worker.
void wait_and_catch(void *, async_cookie_t)
{
	try {
		async_schedule_domain(throw_it, nullptr, &domain);
		async_synchronize_full_domain(&domain);
	} catch (const std::exception &) {
		std::puts("caught");
	}
}

} // namespace

void catch_around_scheduling(void)
{
	try {
		async_schedule(throw_it, nullptr);
		async_synchronize_full();
	} catch (const std::exception &) {
		std::puts("caught");
	}
}

void catch_around_waiting(void)
{
	async_schedule(wait_and_catch, nullptr);
	async_synchronize_full();
}

void catch_around_cancelling(void)
{
	sem_init(&begun, 0, 0);
	sem_init(&open_gate, 0, 0);
	async_schedule(stand, nullptr);
	sem_wait(&begun);
	async_schedule_domain(nothing, nullptr, &domain);
	try {
		async_cancel_domain(&domain, throw_it);
	} catch (const std::exception &) {
		std::puts("caught");
	}
	sem_post(&open_gate);
}
