/* SPDX-License-Identifier: MIT */
/* Configuration: defaults, async_configure(), the environment, and the hooks for fork and exit. */
#define _GNU_SOURCE
#include <limits.h>
#include <pthread.h>

#include "guest.h"
#include "rob.h"

#define THREADS_DEFAULT 256
#define THREADS_MOST 65536
#define PENDING_DEFAULT 32768
#define PENDING_MOST UINT32_MAX
#define WATCHDOG_MOST 86400
#define EXIT_MOST 86400
#define EXIT_REPORT_S 10
#define FULL_REPORT_S 10

static struct async_config given = ASYNC_CONFIG_INIT;
static char trace_path[PATH_MAX];

static uint32_t choose(uint32_t value, uint32_t otherwise)
{
	return value == ASYNC_DEFAULT ? otherwise : value;
}

/* Names a value that makes no sense; the default stays. */
static void complain(const char *variable, const char *value, const char *wanted)
{
	port_log(2, "inorder: %s=%.200s ignored: %s is wanted\n", variable, value, wanted);
}

static bool parse_number(const char *text, uint32_t most, uint32_t *number)
{
	char *end;
	unsigned long long value;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || *end || value > most)
		return false;
	*number = (uint32_t)value;
	return true;
}

static void read_number(const char *variable, uint32_t most, uint32_t *number)
{
	const char *value = secure_getenv(variable);
	char wanted[64];

	if (!value || parse_number(value, most, number))
		return;
	snprintf(wanted, sizeof(wanted), "a whole number from 0 to %u", most);
	complain(variable, value, wanted);
}

struct debug {
	bool initcall;
	uint32_t watchdog_s;
	char path[PATH_MAX + 8];
};

static void read_debug_word(const char *word, struct debug *debug)
{
	if (!*word)
		return;
	if (!strcmp(word, "initcall"))
		debug->initcall = true;
	else if (!strncmp(word, "trace=", 6) && word[6])
		memcpy(debug->path, word + 6, strlen(word + 6) + 1);
	else if (strncmp(word, "watchdog=", 9) || !parse_number(word + 9, WATCHDOG_MOST, &debug->watchdog_s))
		complain("INORDER_DEBUG", word, "initcall, trace=FILE or watchdog=SECONDS (to 86400)");
}

/* Words between commas. */
static void read_debug(struct debug *debug)
{
	const char *value = secure_getenv("INORDER_DEBUG");

	while (value && *value) {
		size_t length = strcspn(value, ",");
		char word[PATH_MAX + 8];

		if (length < sizeof(word)) {
			memcpy(word, value, length);
			word[length] = '\0';
			read_debug_word(word, debug);
		} else {
			complain("INORDER_DEBUG", value, "a shorter word");
		}
		value += length + (value[length] == ',');
	}
}

void port_start(struct port_config *config)
{
	int cancel, saved = errno;
	struct debug debug = {.initcall = choose(given.initcall_debug, 0), .watchdog_s = choose(given.watchdog_s, 0)};

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel); /* files are opened, with the lock held */
	snprintf(debug.path, sizeof(debug.path), "%s", trace_path);
	config->threads = choose(given.threads, THREADS_DEFAULT);
	config->pending = choose(given.pending, PENDING_DEFAULT);
	port_stack_bytes = choose(given.stack_bytes, 0);
	read_number("INORDER_THREADS", THREADS_MOST, &config->threads);
	read_number("INORDER_PENDING", PENDING_MOST, &config->pending);
	config->full_s = FULL_REPORT_S;
	port_exit_limits.report_s = EXIT_REPORT_S;
	port_exit_limits.limit_s = given.exit_limit_s;
	read_number("INORDER_EXIT_LIMIT", EXIT_MOST, &port_exit_limits.limit_s);
	read_debug(&debug);
	config->watchdog_s = debug.watchdog_s;
	if (debug.initcall || debug.path[0])
		port_trace_start(debug.initcall ? 2 : -1, debug.path[0] ? debug.path : NULL);
	guest_signals_note();
	pthread_setcancelstate(cancel, &cancel);
	errno = saved;
}

static int check(const struct async_config *config)
{
	if (!config || config->size < offsetof(struct async_config, workers) || config->size > sizeof(*config))
		return -EINVAL;
	if (config->threads != ASYNC_DEFAULT && config->threads > THREADS_MOST)
		return -EINVAL;
	if (config->watchdog_s != ASYNC_DEFAULT && config->watchdog_s > WATCHDOG_MOST)
		return -EINVAL;
	if (config->size == sizeof(*config) && config->exit_limit_s > EXIT_MOST)
		return -EINVAL;
	if (config->trace_path && strlen(config->trace_path) >= sizeof(trace_path))
		return -ENAMETOOLONG;
	return 0;
}

/* Nothing has read it yet. An older caller's is shorter. */
static int set(const void *what)
{
	const struct async_config *config = what;
	int error = 0;

	if (config->size > offsetof(struct async_config, workers))
		error = guest_workers_set(config->workers);
	if (error)
		return error;
	memcpy(&given, config, config->size);
	snprintf(trace_path, sizeof(trace_path), "%s", config->trace_path ? config->trace_path : "");
	return 0;
}

int async_configure(const struct async_config *config)
{
	int error = check(config);

	return error ? error : rob_before_start(set, config);
}

/* ---- fork and exit ---- */

static void forget_id(void)
{
	port_tid = 0;
}

/*
 * Not at first use: another thread may fork beside the first call, and its child would have a lock that was held.
 * What the program registers later prepares earlier, so a handler of its own may wait for calls.
 */
__attribute__((constructor(102))) static void watch_forks(void)
{
	pthread_atfork(NULL, NULL, forget_id);
	pthread_atfork(rob_fork_prepare, rob_fork_parent, rob_fork_child);
}

/* The handlers of the exit have run, but for those registered before this library was loaded. */
static bool handlers_over;

#ifndef __GLIBC__
static void note_handlers_over(void)
{
	__atomic_store_n(&handlers_over, true, __ATOMIC_RELAXED); /* no order: one thread ends the program */
}

/* musl before 1.2.5 runs the last handler with a lock that it then keeps: atexit() in a destructor would hang. */
__attribute__((constructor(102))) static void watch_handlers(void)
{
	atexit(note_handlers_over);
}
#endif

static bool armed; /* set under the core's lock; taken back before it is taken, by the thread that ends */

/* Runs before the destructors of all objects that were there when it was registered. */
static void before_destructors(void)
{
	/* No order: the exit takes it back, under the lock, before its end */
	__atomic_store_n(&armed, false, __ATOMIC_RELAXED);
	port_exit(false);
}

/* Handlers run in the opposite order: this one before what was registered before it. */
void port_arm_exit(void)
{
	/* Not covered: needs another C library (packaging musl). No order: as above */
	if (__atomic_load_n(&handlers_over, __ATOMIC_RELAXED))
		return;
	if (!__atomic_load_n(&armed, __ATOMIC_RELAXED)) /* no order: see before_destructors() */
		__atomic_store_n(&armed, !atexit(before_destructors), __ATOMIC_RELAXED); /* no order: as above */
}

/* The last destructor to run: after the program's own, and what it registered with atexit(). */
__attribute__((destructor(101))) static void at_exit(void)
{
	port_exit(true);
}
