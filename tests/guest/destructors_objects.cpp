// SPDX-License-Identifier: MIT
#include <cstdlib>
#include <cstring>
#include <inorder/async.h>
#include <semaphore.h>
#include <unistd.h>

extern "C" void schedule_use_of_object(void);
extern "C" void schedule_in_destructor(void);

static bool wanted, schedules;
static sem_t leaving;

static void say(const char *text)
{
	if (write(1, text, std::strlen(text)) < 0)
		_exit(20);
}

static void say_late(void *, async_cookie_t)
{
	say("scheduled late, ");
}

struct object {
	bool there = true;
	~object()
	{
		there = false;
		if (wanted)
			say("destroyed, ");
		if (schedules)
			async_schedule(say_late, nullptr);
	}
};

static object global;

static void use(void *, async_cookie_t)
{
	while (sem_wait(&leaving))
		;
	say(global.there ? "used, " : "used after its end, ");
}

static void tell_leaving()
{
	sem_post(&leaving);
}

void schedule_use_of_object(void)
{
	wanted = true;
	sem_init(&leaving, 0, 0);
	async_schedule(use, nullptr);
	std::atexit(tell_leaving);
}

void schedule_in_destructor(void)
{
	wanted = schedules = true;
	async_schedule([](void *, async_cookie_t) {}, nullptr);
}
