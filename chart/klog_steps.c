/* SPDX-License-Identifier: MIT */
/*
 * The lines of a kernel log that tell a call, an initcall, a probe, a quirk or a device's callback.
 *
 * "initcall NAME returned" does not say in which thread. It is matched with the "calling  NAME" of that name
 * that began when this one says it did, so repeated names do not collide.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "klog.h"

#define USECS_MOST UINT64_C(1000000000000)

struct record *klog_add(struct input *input, int type, uint64_t t_ns, long tid)
{
	struct record *record = APPEND(input->records, input->count);

	*record = (struct record){.type = type, .t_ns = t_ns, .tid = tid};
	return record;
}

bool klog_ends(const char *text)
{
	return !*text || *text == ' ' || *text == ',' || *text == '\t';
}

/* "5_ata_port_probe+0x0/0x42 [libata]": the cookie, the name without its range, whether it is a retire step. */
static const char *split_name(const char *text, size_t bytes, uint64_t *cookie, bool *retire)
{
	const char *end = text + bytes;
	const char *plus = memchr(text, '+', bytes);
	const char *module = memchr(text, '[', bytes);
	const char *digit = text;
	const char *suffix = ".retire";

	if (plus && !module && strncmp(plus, "+0x0/", 5) != 0 && bytes > 4 && memcmp(end - 4, "/0x0", 4) == 0)
		end -= 4; /* an object and an offset, without a size: keep both for the symbol table */
	else if (plus)
		end = plus;
	while (digit < end && isdigit((unsigned char)*digit))
		digit++;
	*cookie = 0;
	*retire = false;
	if (digit > text && digit < end && *digit == '_') {
		*cookie = strtoull(text, NULL, 10);
		text = digit + 1;
		if ((size_t)(end - text) > strlen(suffix) &&
		    memcmp(end - strlen(suffix), suffix, strlen(suffix)) == 0) {
			end -= strlen(suffix);
			*retire = true;
		}
	}
	return resolve(keep_part(text, (size_t)(end - text)));
}

/*
 * The library writes a beginning once more when the call has got its name since: the same cookie in the same
 * thread. Returns whether it was that, and then the open call has the new name.
 */
static bool rename_call(struct input *input, const char *full_name, const struct record *record)
{
	for (size_t i = input->open_count; record->cookie && i-- > 0;) {
		struct open_call *call = &input->open_calls[i];

		if (call->cookie != record->cookie || call->tid != record->tid || call->type != record->type)
			continue;
		call->name = full_name;
		return true;
	}
	return false;
}

/* "DRIVER DEVICE: " or "DRIVER DEVICE: PM: " before the verb: the device's name, or NULL. */
static const char *device_of(const struct piece *piece)
{
	char driver[64];
	char device[64];
	char colon = 0;
	int used = 0;
	char before[160];

	if (piece->before_bytes >= sizeof(before))
		return NULL;
	memcpy(before, piece->before, piece->before_bytes);
	before[piece->before_bytes] = 0;
	if (sscanf(before, "%63s %63s%n", driver, device, &used) != 2 || !used)
		return NULL;
	colon = device[strlen(device) - 1];
	if (colon != ':' || (strcmp(before + used, " ") != 0 && strcmp(before + used, " PM: ") != 0))
		return NULL;
	return keep_part(device, strlen(device) - 1);
}

/* "NAME (DEVICE)" */
static const char *with_device(const char *name, const char *device)
{
	char text[512];

	if (!device)
		return name;
	snprintf(text, sizeof(text), "%.*s (%s)", text_bytes(name, 400), name, device);
	return keep(text);
}

/* The bytes of "NAME" or "NAME [MODULE]" up to @end; 0 if more words stand there. */
static size_t name_bytes(const char *text, const char *end)
{
	const char *space = memchr(text, ' ', (size_t)(end - text));

	if (text == end || *text == ' ')
		return 0;
	if (space && (space[1] != '[' || memchr(space, ']', (size_t)(end - space)) != end - 1))
		return 0;
	return (size_t)(end - text);
}

const char *parse_calling(struct input *input, const struct piece *piece)
{
	const char *device = device_of(piece);
	const char *rest = piece->rest + strspn(piece->rest, " ");
	const char *at = strstr(rest, " @ ");
	struct record record = {.type = ASYNC_TRACE_CALLING};
	bool retire;
	char *end;

	if (!at || !name_bytes(rest, at))
		return "\"calling\" without a name and \"@ PID\"";
	record.tid = strtol(at + 3, &end, 10);
	if (end == at + 3 || !isdigit((unsigned char)at[3]) || !klog_ends(end))
		return "\"calling\" without a thread's number after the \"@\"";
	record.t_ns = clock_time(&input->clock, piece->stamp);
	record.func = with_device(keep_part(rest, (size_t)(at - rest)), device);
	record.name = with_device(split_name(rest, (size_t)(at - rest), &record.cookie, &retire), device);
	if (record.cookie)
		record.type = retire ? ASYNC_TRACE_RETIRING : ASYNC_TRACE_STARTED;
	if (rename_call(input, record.func, &record))
		return NULL; /* its end will tell the name */
	*APPEND(input->open_calls, input->open_count) = (struct open_call){
		record.func, record.t_ns, record.cookie, record.tid, record.type, false, input->count};
	*APPEND(input->records, input->count) = record;
	return NULL;
}

/* "… returned 0 after 377865 usecs"; of asynchronous calls kernels from 6.0 on print no error, which they never had */
static bool parse_returned(const char *rest, size_t *bytes, int *error, uint64_t *usecs)
{
	const char *returned = strstr(rest, " returned ");
	int used = 0;

	*error = 0;
	if (!returned || !(*bytes = name_bytes(rest, returned)))
		return false;
	if (sscanf(returned, " returned %d after %" SCNu64 " usec%n", error, usecs, &used) != 2 || !used)
		if (sscanf(returned, " returned after %" SCNu64 " usec%n", usecs, &used) != 1 || !used)
			return false;
	returned += used;
	return *usecs <= USECS_MOST && klog_ends(returned + (*returned == 's'));
}

/* The open call of that name that began closest to @since_ns; the last one if @since_ns is 0. NONE if there is none. */
static size_t find_open(const struct input *input, const char *name, uint64_t since_ns)
{
	size_t best = NONE;
	uint64_t best_off = UINT64_MAX;

	for (size_t i = input->open_count; i-- > 0;) {
		const struct open_call *call = &input->open_calls[i];
		uint64_t off = call->t_ns > since_ns ? call->t_ns - since_ns : since_ns - call->t_ns;

		if (call->name != name)
			continue;
		if (!since_ns)
			return i;
		if (off < best_off) {
			best = i;
			best_off = off;
		}
	}
	return best;
}

/* When a step ended that took @usecs, and when it began, as far as its own line tells. */
static uint64_t end_time(struct input *input, const struct stamp *stamp, uint64_t begin_ns, uint64_t usecs,
			 uint64_t *since_ns)
{
	uint64_t t_ns = clock_end(&input->clock, stamp, begin_ns, usecs * 1000);

	*since_ns = usecs < t_ns / 1000 ? t_ns - usecs * 1000 : 1;
	return t_ns;
}

/* The end of a step or call with a "calling" line of its own, if that is not lost. */
static struct record *add_end(struct input *input, const struct piece *piece, const char *name, uint64_t usecs)
{
	bool exact = clock_is_exact(piece->stamp);
	uint64_t since_ns = 0;
	uint64_t t_ns = exact ? end_time(input, piece->stamp, 0, usecs, &since_ns) : 0;
	size_t open = find_open(input, name, since_ns);
	struct record *record;
	long tid = open == NONE ? -1 : input->open_calls[open].tid;

	if (!exact)
		t_ns = end_time(input, piece->stamp, open == NONE ? 0 : input->open_calls[open].t_ns, usecs, &since_ns);
	if (open != NONE && !input->open_calls[open].broken &&
	    input->open_calls[open].t_ns <= t_ns) /* or else the lines of two logs stand in one file */
		since_ns = input->open_calls[open].t_ns;
	if (open != NONE)
		input->open_calls[open] = input->open_calls[--input->open_count];
	record = klog_add(input, ASYNC_TRACE_CALLED, t_ns, tid >= 0 ? tid : piece->stamp->tid);
	record->since_ns = since_ns;
	record->headless = open == NONE;
	return record;
}

const char *parse_initcall(struct input *input, const struct piece *piece)
{
	struct record *record;
	const char *full_name;
	const char *name;
	uint64_t cookie;
	uint64_t usecs;
	size_t bytes;
	bool retire;
	int error;

	if (!parse_returned(piece->rest, &bytes, &error, &usecs))
		return "\"initcall\" without \"returned [ERROR] after TIME usecs\"";
	name = split_name(piece->rest, bytes, &cookie, &retire);
	full_name = keep_part(piece->rest, bytes);
	record = add_end(input, piece, full_name, usecs);
	record->func = full_name;
	record->name = name;
	record->cookie = cookie;
	record->error = error;
	if (cookie)
		record->type = ASYNC_TRACE_COMPLETED;
	else if (record->tid < 0 && !memchr(piece->rest, '[', bytes) && !input->past_init)
		record->tid = 1; /* no module's, and before /init: the kernel's first thread runs these */
	return NULL;
}

const char *parse_probe(struct input *input, const struct piece *piece)
{
	const char *returned = strstr(piece->rest, " returned ");
	const char *name = returned ? returned : piece->rest;
	struct record *record;
	uint64_t begin_ns = input->open_count ? input->open_calls[input->open_count - 1].t_ns : 0;
	uint64_t since_ns;
	uint64_t t_ns;
	uint64_t usecs;
	size_t bytes;
	int error;

	while (name > piece->rest && name[-1] != ' ') /* a device's name may hold spaces; the last word is enough */
		name--;
	if (!parse_returned(name, &bytes, &error, &usecs))
		return "\"probe of\" without \"returned ERROR after TIME usecs\"";
	t_ns = end_time(input, piece->stamp, begin_ns, usecs, &since_ns);
	record = klog_add(input, ASYNC_TRACE_CALLED, t_ns, piece->stamp->tid);
	record->name = keep_part(piece->rest, (size_t)(returned - piece->rest));
	record->since_ns = since_ns;
	input->probes = true;
	record->error = error > 0 ? 0 : error; /* some kernels print 1 for a device that was bound */
	if (error == PROBE_DEFER || error == -PROBE_DEFER)
		record->error = -PROBE_DEFER; /* from Linux 5.11 on printed without its sign */
	return NULL;
}

/* Where the "NAME" or "NAME [MODULE]" begins that ends at @end. */
static const char *name_before(const char *message, const char *end)
{
	const char *name = end;

	while (name > message && name[-1] != ' ')
		name--;
	if (*name != '[' || name == message)
		return name;
	for (name--; name > message && name[-1] != ' ';)
		name--;
	return name;
}

/* Words before a time may be prose. "NAME+0x0/0x10", an address, and "NAME [MODULE]" are of a function. */
static bool is_function(const struct input *input, const char *name, size_t bytes, const char *full_name)
{
	const char *digits = name + 2;

	if (memmem(name, bytes, "+0x", 3) || name[bytes - 1] == ']' || find_open(input, full_name, 0) != NONE)
		return true;
	return strncmp(name, "0x", 2) == 0 && digits + strspn(digits, "0123456789abcdef") == name + bytes;
}

/* "pci 0000:00:1d.0: NAME took 1367187 usecs" and "ahci 0000:00:1f.2: PM: NAME returned 0 after 23 usecs" */
const char *parse_device(struct input *input, const struct stamp *stamp, const char *message, bool *known)
{
	const char *took = strstr(message, " took ");
	const char *verb = took ? took : strstr(message, " returned ");
	const char *name = name_before(message, verb);
	struct piece piece = {.stamp = stamp, .before = message};
	struct record *record;
	const char *device;
	const char *full_name;
	uint64_t usecs;
	uint64_t cookie;
	bool retire;
	size_t bytes = (size_t)(verb - name);
	int error = 0;
	int used = 0;

	piece.before_bytes = (size_t)(name - message);
	device = bytes ? device_of(&piece) : NULL;
	full_name = device ? with_device(keep_part(name, bytes), device) : NULL;
	if (!device || !is_function(input, name, bytes, full_name))
		return NULL;
	*known = true;
	if (took && (sscanf(took, " took %" SCNu64 " usecs%n", &usecs, &used) != 1 || !used || usecs > USECS_MOST))
		return "a device's step that \"took\" without \"TIME usecs\"";
	if (!took && !parse_returned(name, &bytes, &error, &usecs))
		return "a device's step without \"returned ERROR after TIME usecs\"";
	record = add_end(input, &piece, full_name, usecs);
	record->name = with_device(split_name(name, bytes, &cookie, &retire), device);
	record->error = error;
	return NULL;
}

/*
 * A line that was not understood, but tells that something begins: its end is no sign that the log's beginning is lost.
 * When it began, its end will tell.
 */
void klog_broken_begin(struct input *input, const char *message)
{
	const char *range = strstr(message, "0x");
	struct piece piece = {.before = message};
	const char *name = range;
	const char *before;
	size_t bytes;

	if (!range || strstr(message, " returned ") || strstr(message, " usec"))
		return;
	while (name > message && name[-1] != ' ')
		name--;
	for (before = name; before > message && before[-1] == ' ';)
		before--;
	while (before > message && before[-1] != ' ') /* what should be "calling" */
		before--;
	piece.before_bytes = (size_t)(before - message);
	bytes = strcspn(name, " ");
	if (strncmp(name + bytes, " [", 2) == 0)
		bytes += strcspn(name + bytes, "]") + 1;
	bytes = bytes > strlen(name) ? strlen(name) : bytes;
	*APPEND(input->open_calls, input->open_count) =
		(struct open_call){with_device(keep_part(name, bytes), device_of(&piece)),
				   input->clock.last_ns,
				   0,
				   -1,
				   ASYNC_TRACE_CALLING,
				   true,
				   NONE};
}
