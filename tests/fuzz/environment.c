/* SPDX-License-Identifier: MIT */
/*
 * The configuration: async_configure(), then the environment, as ports/posix/config.c reads them. The input's lines are
 * INORDER_THREADS, INORDER_PENDING, INORDER_DEBUG (each unset if it begins with '-') and async_configure()'s trace
 * file; its last bytes are the numbers for async_configure(). What was asked for in a way that makes sense is set, what
 * makes none is named in one complaint each, and the value from before stays.
 */
#include <limits.h>
#include <stdarg.h>

#include "fuzz.h"
#include "guest.h"
#include "rob.h"

/* The world of config.c, in the place of the library's and of the system's: see meson.build. */
int fuzz_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void));

static char *variables[3]; /* THREADS, PENDING, DEBUG */
static unsigned int complaints;
static int trace_fd;
static char trace_file[PATH_MAX + 16];
static unsigned int traces;

struct port_exit_limits port_exit_limits;
uint32_t port_stack_bytes;
_Bool port_tracing;

char *fuzz_getenv(const char *name)
{
	return !strcmp(name, "INORDER_THREADS")   ? variables[0]
	       : !strcmp(name, "INORDER_PENDING") ? variables[1]
	       : !strcmp(name, "INORDER_DEBUG")   ? variables[2]
						  : NULL;
}

int fuzz_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void))
{
	HOLD(child);
	(void)prepare;
	(void)parent;
	return 0;
}

int rob_before_start(int (*set)(const void *what), const void *what)
{
	return set(what);
}

void rob_fork_prepare(void)
{
}
void rob_fork_parent(void)
{
}
void rob_fork_child(void)
{
}
void port_exit(bool last)
{
	(void)last;
}

__thread int port_tid;

void guest_signals_note(void)
{
}
int guest_workers_set(const struct async_workers *workers)
{
	HOLD(!workers);
	return 0;
}
bool port_rest_begin(void)
{
	return false;
}
void port_rest_end(void)
{
}

void port_log(int fd, const char *format, ...)
{
	char text[2048];
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	HOLD(fd == 2 && length > 0 && length < (int)sizeof(text));
	HOLD(!strncmp(text, "inorder: INORDER_", 17) && strstr(text, " ignored: ") && text[length - 1] == '\n');
	complaints++;
}

void port_trace_start(int initcall_fd, const char *path)
{
	trace_fd = initcall_fd;
	HOLD(!path || (*path && strlen(path) < sizeof(trace_file)));
	strcpy(trace_file, path ? path : "");
	traces++;
}

/* Another reading of the same rule. True: digits alone, at most @most. */
static bool is_number(const char *text, uint64_t most, uint32_t *number)
{
	uint64_t value = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		if (value <= most)
			value = value * 10 + (uint64_t)(*text - '0');
	}
	if (value > most)
		return false;
	*number = (uint32_t)value;
	return true;
}

/* What has to come out. */
struct wanted {
	uint32_t threads, pending, stack_bytes, watchdog_s;
	bool initcall;
	char path[PATH_MAX + 16];
	unsigned int complaints;
};

static void want_word(struct wanted *wanted, const char *word)
{
	if (strlen(word) >= PATH_MAX + 8)
		wanted->complaints++;
	else if (!strcmp(word, "initcall"))
		wanted->initcall = true;
	else if (!strncmp(word, "trace=", 6) && word[6])
		strcpy(wanted->path, word + 6);
	else if (*word && (strncmp(word, "watchdog=", 9) || !is_number(word + 9, 86400, &wanted->watchdog_s)))
		wanted->complaints++;
}

static void want_environment(struct wanted *wanted)
{
	char *copy = variables[2] ? fuzz_memory(strdup(variables[2])) : NULL, *rest = copy, *word;

	if (variables[0])
		wanted->complaints += !is_number(variables[0], 65536, &wanted->threads);
	if (variables[1])
		wanted->complaints += !is_number(variables[1], UINT32_MAX, &wanted->pending);
	while ((word = strsep(&rest, ",")))
		want_word(wanted, word);
	free(copy);
}

static uint32_t take(const uint8_t **bytes, size_t *count)
{
	uint32_t value = ASYNC_DEFAULT;

	if (*count >= sizeof(value)) {
		*count -= sizeof(value);
		memcpy(&value, *bytes + *count, sizeof(value));
	}
	return value;
}

static uint32_t given(uint32_t value, uint32_t otherwise)
{
	return value == ASYNC_DEFAULT ? otherwise : value;
}

/* Configures from the tail of the input. What was refused changes nothing. */
static void configure(const uint8_t **bytes, size_t *count, const char *path, struct wanted *wanted)
{
	const struct async_config plain = ASYNC_CONFIG_INIT;
	struct async_config config = plain;
	int error;

	config.threads = take(bytes, count);
	config.pending = take(bytes, count);
	config.stack_bytes = take(bytes, count);
	config.watchdog_s = take(bytes, count);
	config.initcall_debug = take(bytes, count);
	config.trace_path = path;
	HOLD(async_configure(&plain) == 0);
	error = async_configure(&config);
	if (given(config.threads, 0) > 65536 || given(config.watchdog_s, 0) > 86400) {
		HOLD(error == -EINVAL);
		config = plain;
	} else if (strlen(path) >= PATH_MAX) {
		HOLD(error == -ENAMETOOLONG);
		config = plain;
	} else {
		HOLD(error == 0);
	}
	wanted->threads = given(config.threads, 256);
	wanted->pending = given(config.pending, 32768);
	wanted->stack_bytes = given(config.stack_bytes, 0);
	wanted->watchdog_s = given(config.watchdog_s, 0);
	wanted->initcall = given(config.initcall_debug, 0) != 0;
	strcpy(wanted->path, config.trace_path ? config.trace_path : "");
}

static void check(const struct wanted *wanted)
{
	struct port_config config;
	int saved = errno = (int)wanted->threads;

	memset(&config, 0xa5, sizeof(config));
	port_start(&config);
	HOLD(errno == saved);
	HOLD(config.threads == wanted->threads);
	HOLD(config.pending == wanted->pending);
	HOLD(port_stack_bytes == wanted->stack_bytes);
	HOLD(config.watchdog_s == wanted->watchdog_s);
	HOLD(complaints == wanted->complaints);
	HOLD(traces == (wanted->initcall || wanted->path[0]));
	if (traces)
		HOLD(trace_fd == (wanted->initcall ? 2 : -1) && !strcmp(trace_file, wanted->path));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	static struct wanted wanted; /* two paths: too large for the stack */
	char *texts[4];
	size_t length;

	memset(&wanted, 0, sizeof(wanted));
	complaints = traces = 0;
	for (size_t i = 0; i < 4; i++) {
		texts[i] = fuzz_line(&bytes, &count, &length);
		texts[i][strcspn(texts[i], "\n")] = '\0';
		if (i < 3)
			variables[i] = texts[i][0] == '-' ? NULL : texts[i];
	}
	configure(&bytes, &count, texts[3], &wanted);
	want_environment(&wanted);
	check(&wanted);
	for (size_t i = 0; i < 4; i++)
		free(texts[i]);
	return 0;
}
