/* SPDX-License-Identifier: MIT */
/* The lines of the full trace; docs/TRACE-FORMAT.md describes them. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "symbol.h"
#include "trace_text.h"

#define START_FIELD 22 /* of /proc/PID/stat */
#define TEXT_BYTES 300 /* of one escaped text; a path or a name that is longer is cut */

#define WORD(name, word) word,
const char *const trace_words[] = {ASYNC_TRACE_EVENTS(WORD)};

__attribute__((format(printf, 2, 3))) static void add(struct trace_line *line, const char *format, ...)
{
	size_t room = sizeof(line->text) - line->used;
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(line->text + line->used, room, format, args);
	va_end(args);
	/* Not covered: printing does not fail, and no line is that long (see add_bytes()) */
	if (length > 0)
		line->used += (size_t)length < room ? (size_t)length : room - 1;
}

/* The bytes of the UTF-8 character at @text, or 0 if there is none. */
static size_t utf8_bytes(const unsigned char *text)
{
	static const uint32_t lowest[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t bytes = text[0] < 0x80 ? 1 : text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : 2;
	uint32_t code = bytes == 1 ? text[0] : text[0] & (0xffu >> (bytes + 1));

	if (bytes > 1 && (text[0] < 0xc2 || text[0] > 0xf4))
		return 0;
	for (size_t i = 1; i < bytes; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (text[i] & 0x3f);
	}
	return code < lowest[bytes] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? 0 : bytes;
}

static void add_bytes(struct trace_line *line, const char *bytes, size_t count)
{
	/* Not covered: three texts of 310 bytes at most never fill the 2 KB of a line */
	if (count >= sizeof(line->text) - line->used)
		return;
	memcpy(line->text + line->used, bytes, count);
	line->used += count;
}

/* One character of a JSON string, which begins at @text and has @bytes bytes; 0: it is none. */
static void add_character(struct trace_line *line, const unsigned char *text, size_t bytes)
{
	if (bytes == 0)
		add_bytes(line, "\\ufffd", 6);
	else if (bytes == 1 && (*text == '"' || *text == '\\'))
		add(line, "\\%c", *text);
	else if (*text < 0x20 || *text == 0x7f)
		add(line, "\\u%04x", *text);
	else
		add_bytes(line, (const char *)text, bytes);
}

static void add_text(struct trace_line *line, const char *key, const char *text)
{
	const unsigned char *next = (const unsigned char *)text;
	size_t start;

	add(line, ",\"%s\":\"", key);
	start = line->used;
	while (*next) {
		size_t bytes = utf8_bytes(next);

		if (line->used - start > TEXT_BYTES) {
			add_bytes(line, "...", 3);
			break;
		}
		add_character(line, next, bytes);
		next += bytes ? bytes : 1;
	}
	add_bytes(line, "\"", 1);
}

static void add_symbol(struct trace_line *line, const char *key, uintptr_t address)
{
	struct symbol symbol;
	char text[sizeof(symbol.object) + 64];

	symbol_find(address, &symbol);
	if (symbol.name[0])
		snprintf(text, sizeof(text), "%s+0x%zx/0x%zx", symbol.name, (size_t)symbol.offset, (size_t)symbol.size);
	else if (symbol.object[0])
		snprintf(text, sizeof(text), "%s+0x%zx", symbol.object, (size_t)symbol.offset);
	else
		snprintf(text, sizeof(text), "0x%zx", (size_t)address);
	add_text(line, key, text);
}

static void add_place(struct trace_line *line, const struct trace_place *place, const char *word)
{
	line->used = 0;
	add(line, "{\"t_ns\":%" PRIu64 ",\"pid\":%ld,\"tid\":%ld,\"ev\":\"%s\"", place->now_ns, (long)place->pid,
	    (long)place->tid, word);
}

static void boot_id(char *text, size_t bytes)
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	/* Not covered: without /proc */
	ssize_t length = fd < 0 ? 0 : read(fd, text, bytes - 1);

	text[length > 0 ? length : 0] = 0;
	text[strcspn(text, "\n")] = 0;
	/* Not covered: without /proc */
	if (fd >= 0)
		close(fd);
}

/*
 * When the process started, by CLOCK_MONOTONIC and to a clock tick (10 ms); 0 if /proc does not say. The kernel counts
 * from the boot, time asleep included.
 */
static uint64_t process_start(uint64_t now_ns)
{
	int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
	struct timespec boot;
	char text[512];
	ssize_t length = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	const char *field;
	uint64_t age_ns;
	unsigned long long ticks;
	long per_second = sysconf(_SC_CLK_TCK);

	if (fd >= 0)
		close(fd);
	text[length > 0 ? length : 0] = 0;
	field = strrchr(text, ')'); /* ends the second field, in which anything may stand */
	for (int i = 2; field && i < START_FIELD; i++)
		field = strchr(field + 1, ' ');
	if (!field || sscanf(field, " %llu", &ticks) != 1 || per_second <= 0 || clock_gettime(CLOCK_BOOTTIME, &boot))
		return 0;
	age_ns = (uint64_t)boot.tv_sec * 1000000000 + (uint64_t)boot.tv_nsec -
		 ticks * (1000000000 / (uint64_t)per_second);
	return age_ns < now_ns ? now_ns - age_ns : 0;
}

static long processors(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : sysconf(_SC_NPROCESSORS_ONLN);
}

void trace_header(struct trace_line *line, const struct trace_place *place, uint64_t realtime_ns)
{
	uint64_t started_ns = process_start(place->now_ns);
	char boot[64];

	add_place(line, place, "start");
	add(line, ",\"inorder\":%d,\"ppid\":%ld,\"clock\":\"monotonic\",\"realtime_ns\":%" PRIu64, TRACE_FORMAT_VERSION,
	    (long)getppid(), realtime_ns);
	if (started_ns)
		add(line, ",\"started_ns\":%" PRIu64, started_ns);
	add(line, ",\"processors\":%ld", processors());
	add_text(line, "program", symbol_program());
	boot_id(boot, sizeof(boot));
	/* Not covered: without /proc */
	if (boot[0])
		add_text(line, "boot", boot);
	add(line, "}\n");
}

void trace_lost(struct trace_line *line, const struct trace_place *place, uint64_t lines)
{
	add_place(line, place, "lost");
	add(line, ",\"lines\":%" PRIu64 "}\n", lines);
}

/* What event->arg means depends on the event. */
static void add_arg(struct trace_line *line, const struct port_event *event)
{
	switch (event->type) {
	case ASYNC_TRACE_SCHEDULED:
	case ASYNC_TRACE_INLINE:
		if (event->arg)
			add(line, ",\"by\":%" PRIu64, event->arg);
		if (event->flag)
			add(line, ",\"exclusive\":true");
		break;
	case ASYNC_TRACE_STARTED:
		if (event->arg)
			add(line, ",\"helped\":true");
		break;
	case ASYNC_TRACE_COMPLETED:
		if (event->arg)
			add(line, ",\"cancelled\":true");
		break;
	case ASYNC_TRACE_WAITING:
	case ASYNC_TRACE_CONTINUED:
		if (event->arg && event->arg != ASYNC_COOKIE_MAX)
			add(line, ",\"for\":%" PRIu64, event->arg);
		if (event->flag)
			add(line, ",\"one\":true");
		break;
	case ASYNC_TRACE_WORKER:
		add(line, ",\"workers\":%" PRIu64, event->arg);
		break;
	default:
		break;
	}
}

/* The function is looked up where a reader first meets the call; it would say nothing new later. */
static bool shows_function(const struct port_event *event)
{
	return event->func && (event->type == ASYNC_TRACE_SCHEDULED || event->type == ASYNC_TRACE_INLINE ||
			       event->type == ASYNC_TRACE_STARTED || event->type == ASYNC_TRACE_CALLING);
}

/* The domain is surely there: while its calls are in progress, and for who waits for it. */
static const char *domain_name(const struct port_event *event)
{
	bool is_there = event->type == ASYNC_TRACE_STARTED || event->type == ASYNC_TRACE_WAITING;

	return event->domain && is_there ? ((const struct async_domain *)event->domain)->name : NULL;
}

void trace_event(struct trace_line *line, const struct trace_place *place, const struct port_event *event)
{
	const char *domain = domain_name(event);

	add_place(line, place, trace_words[event->type]);
	if (event->cookie)
		add(line, ",\"cookie\":%" PRIu64, event->cookie);
	add_arg(line, event);
	if (event->error && event->type == ASYNC_TRACE_WORKER)
		add(line, ",\"compensation\":true");
	else if (event->error)
		add(line, ",\"error\":%d", event->error);
	if (event->since_ns)
		add(line, ",\"since_ns\":%" PRIu64, event->since_ns);
	if (event->domain)
		add_symbol(line, "domain", (uintptr_t)event->domain);
	if (domain)
		add_text(line, "domain_name", domain);
	if (shows_function(event))
		add_symbol(line, "func", (uintptr_t)event->func);
	if (event->name)
		add_text(line, "name", event->name);
	add(line, "}\n");
}
