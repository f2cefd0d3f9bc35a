/* SPDX-License-Identifier: MIT */
/*
 * The lines that the kernel writes under initcall_debug, and the library with INORDER_DEBUG=initcall, in
 * dmesg, a console's log or standard error. All other lines are passed over.
 *
 * A message may be glued to the rest of another, because several processors write to one console, and lines are
 * continued later; so verbs are looked for in the whole message, and each must read to its end.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "klog.h"

typedef const char *parse_piece(struct input *input, const struct piece *piece);

static const char *parse_wait(struct input *input, const struct piece *piece, int type)
{
	char *end;
	long tid = strtol(piece->rest, &end, 10);
	struct record *record;
	uint64_t usecs = 0;

	if (end == piece->rest || !isdigit((unsigned char)*piece->rest) || !klog_ends(end))
		return "a wait without a thread's number after the \"@\"";
	if (type == ASYNC_TRACE_CONTINUED) {
		int used = 0;

		if (sscanf(end, " after %" SCNu64 " usec%n", &usecs, &used) != 1 || !used)
			return "a wait's end without \"after TIME usec\"";
		end += used;
		if (!klog_ends(end + (*end == 's')))
			return "a wait's end without \"after TIME usec\"";
	}
	record = klog_add(input, type, clock_time(&input->clock, piece->stamp), tid);
	if (usecs && usecs < record->t_ns / 1000)
		record->since_ns = record->t_ns - usecs * 1000;
	return NULL;
}

static const char *parse_waiting(struct input *input, const struct piece *piece)
{
	return parse_wait(input, piece, ASYNC_TRACE_WAITING);
}

static const char *parse_continuing(struct input *input, const struct piece *piece)
{
	return parse_wait(input, piece, ASYNC_TRACE_CONTINUED);
}

static void add_phase(struct input *input, const struct piece *piece, const char *name)
{
	uint64_t t_ns = clock_time(&input->clock, piece->stamp);

	klog_add(input, ASYNC_TRACE_PHASE, t_ns, piece->stamp->tid)->name = name;
}

static const char *parse_phase(struct input *input, const struct piece *piece)
{
	add_phase(input, piece, keep(piece->rest));
	return NULL;
}

static const char *parse_level(struct input *input, const struct piece *piece)
{
	char text[64];

	snprintf(text, sizeof(text), "%.*s initcalls", (int)strcspn(piece->rest, " "), piece->rest);
	add_phase(input, piece, keep(text));
	return NULL;
}

static const char *parse_run(struct input *input, const struct piece *piece)
{
	const char *end = strstr(piece->rest, " as init process");

	input->past_init = true;
	input->passed_ns = 0;
	add_phase(input, piece, keep_part(piece->rest, (size_t)(end - piece->rest)));
	return NULL;
}

static const char *parse_version(struct input *input, const struct piece *piece)
{
	input->past_init = false;
	input->passed_ns = 0;
	add_phase(input, piece, keep("kernel"));
	return NULL;
}

/* "1 node, 4 CPUs" */
static const char *parse_processors(struct input *input, const struct piece *piece)
{
	const char *comma = strstr(piece->rest, ", ");

	if (sscanf(comma ? comma + 2 : piece->rest, "%4u CPU", &input->processors) != 1)
		return "no number of processors";
	return NULL;
}

static const char *parse_suspend(struct input *input, const struct piece *piece)
{
	add_phase(input, piece, keep("suspend"));
	return NULL;
}

static const char *parse_resumed(struct input *input, const struct piece *piece)
{
	add_phase(input, piece, keep("resumed"));
	return NULL;
}

/* "PM: Calling NAME": of the callbacks without a device no end is told, and no thread. */
static const char *parse_callback(struct input *input, const struct piece *piece)
{
	(void)piece;
	input->callbacks++;
	return NULL;
}

/* ---- which verbs there are ---- */

static bool is_call(const char *rest)
{
	return *rest == ' ' || strstr(rest, "+0x") || strstr(rest, " @ ");
}

/* "initcall NAME blacklisted" and "returned with preemption imbalance" are no ends. */
static bool is_initcall(const char *rest)
{
	return (strstr(rest, "+0x") || strstr(rest, " returned ")) && !strstr(rest, " blacklisted") &&
	       !strstr(rest, " returned with ");
}

static bool is_probe(const char *rest)
{
	return strstr(rest, " returned ") || strstr(rest, "usecs");
}

static bool is_device_call(const char *rest)
{
	return strstr(rest, "+ returned ");
}

static bool is_run(const char *rest)
{
	return strstr(rest, " as init process");
}

#define MARKS_MOST 6
#define FALL_NS 200000000 /* the least by which the clock falls from one boot to the next */

/*
 * A message that holds all marks of a verb but one, and no verb, had this one before a character was lost; so it is
 * reported. In a mark, "#" is a number without "0x", "&" is eight hexadecimal digits or more, and "$" is the message's
 * end or a comma. Where there are no marks, the verb's own text with one character wrong, too many or missing, at the
 * message's beginning, is the same. The last rows are of kernels without symbols, which print bare addresses.
 */
static const struct verb {
	const char *text;                /* NULL: klog_steps.c knows where it is */
	bool (*holds)(const char *rest); /* false: prose; NULL: never that */
	parse_piece *parse;
	bool first; /* stands at the message's beginning only, and takes all of it */
	const char *marks[MARKS_MOST];
} verbs[] = {
	{"inorder: phase ", NULL, parse_phase, true, {NULL}},
	{"Run ", is_run, parse_run, true, {"Run /", " as init", " process"}},
	{"Linux version ", NULL, parse_version, true, {NULL}},
	{"entering initcall level: ", NULL, parse_level, true, {NULL}},
	{"PM: suspend entry", NULL, parse_suspend, true, {NULL}},
	{"PM: suspend exit", NULL, parse_resumed, true, {NULL}},
	{"PM: Calling ", NULL, parse_callback, true, {NULL}},
	{"smp: Brought up ", NULL, parse_processors, true, {NULL}},
	{"calling ", is_call, parse_calling, false, {"calling ", "+0x", "/0x", " @ #"}},
	{"initcall ", is_initcall, parse_initcall, false, {"initcall ", "+0x", " returned ", " after #", " usec"}},
	{"call ", is_device_call, parse_initcall, false, {"call ", "+", " returned ", " after #", " usec"}},
	{"probe of ", is_probe, parse_probe, false, {"probe", " of ", " returned ", " after #", " usec"}},
	{"async_waiting @ ", NULL, parse_waiting, false, {"async", "_wait", "ing @ #"}},
	{"async_continuing @ ", NULL, parse_continuing, false, {"async", "_continu", "ing @ #", " after #", " usec"}},
	{NULL, NULL, NULL, false, {"+0x", "/0x", " took #", " usecs"}},
	{NULL, NULL, NULL, false, {"+0x", "/0x", " returned ", " after #", " usec"}},
	{NULL, NULL, NULL, false, {"calling ", "0x", "&", " @ #$"}},
	{NULL, NULL, NULL, false, {"initcall ", "0x", "&", " returned ", " after #", " usec"}},
	{NULL, NULL, NULL, false, {"0x", "&", " took #", " usecs"}},
	{NULL, NULL, NULL, false, {"0x", "&", " returned ", " after #", " usec"}},
};

#define VERB_COUNT (sizeof(verbs) / sizeof(verbs[0]))

/* ---- what looks like a verb and is none ---- */

static bool is_mark(const char *text, const char *mark)
{
	for (; *mark; mark++) {
		size_t numbers = strspn(text, "0123456789");
		size_t hex = strspn(text, "0123456789abcdef");

		if ((*mark == '#' && (!numbers || text[numbers] == 'x')) || (*mark == '&' && hex < 8) ||
		    (*mark == '$' && *text && *text != ','))
			return false;
		if (!strchr("#&$", *mark) && *mark != *text)
			return false;
		text += *mark == '#' ? numbers : *mark == '&' ? hex : *mark != '$';
	}
	return true;
}

static bool holds_mark(const char *text, const char *mark)
{
	for (; *text; text++)
		if (is_mark(text, mark))
			return true;
	return false;
}

static bool holds_marks(const char *message, const struct verb *verb)
{
	unsigned int held = 0;
	unsigned int count = 0;

	for (; count < MARKS_MOST && verb->marks[count]; count++)
		held += holds_mark(message, verb->marks[count]);
	return held + 1 >= count;
}

/* @message begins with @text, but for one character that is another, missing or too many. */
static bool begins_nearly(const char *message, const char *text)
{
	size_t same = 0;

	while (text[same] && message[same] == text[same])
		same++;
	message += same;
	text += same;
	return *text && ((*message && strncmp(message + 1, text + 1, strlen(text + 1)) == 0) ||
			 strncmp(message, text + 1, strlen(text + 1)) == 0 ||
			 (*message && strncmp(message + 1, text, strlen(text)) == 0));
}

/* A message in which no verb is. NULL, or what is wrong with it. */
static const char *check_marks(const char *message)
{
	for (size_t i = 0; i < VERB_COUNT; i++)
		if (verbs[i].marks[0] ? holds_marks(message, &verbs[i]) : begins_nearly(message, verbs[i].text))
			return "nearly a line of initcall_debug: one of its words is wrong or missing";
	return NULL;
}

/* True if some half of each verb without marks, or some mark of the others, is there. */
static bool may_hold_marks(const char *line)
{
	static const char *const words[] = {"+0x", "/0x", " 0x", " usec", " returned ", "ing @ ", "_wait", " as init"};
	size_t bytes = strlen(line);

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strstr(line, words[i]))
			return true;
	for (size_t i = 0; i < VERB_COUNT; i++) {
		size_t half = verbs[i].marks[0] ? 0 : strlen(verbs[i].text) / 2;

		if (half && (memmem(line, bytes, verbs[i].text, half) || strstr(line, verbs[i].text + half)))
			return true;
	}
	return false;
}

/* ---- which verbs a message holds ---- */

/* The first verb at or after @text; NULL if there is none. */
static const struct verb *next_verb(const char *text, const char **at)
{
	const struct verb *best = NULL;

	for (size_t i = 0; i < VERB_COUNT; i++) {
		const char *found = verbs[i].first || !verbs[i].text ? NULL : strstr(text, verbs[i].text);

		while (found && verbs[i].holds && !verbs[i].holds(found + strlen(verbs[i].text)))
			found = strstr(found + 1, verbs[i].text);
		if (found && (!best || found < *at)) {
			best = &verbs[i];
			*at = found;
		}
	}
	return best;
}

/* What it was booted with is no message, whatever words it has. */
static bool is_command_line(const char *message)
{
	static const char *const begins[] = {
		"Command line: ", "Kernel command line: ", "Unknown kernel command line parameters "};

	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++)
		if (strncmp(message, begins[i], strlen(begins[i])) == 0)
			return true;
	return false;
}

static const struct verb *first_verb(const char *message)
{
	for (size_t i = 0; i < VERB_COUNT; i++) {
		size_t bytes = verbs[i].first ? strlen(verbs[i].text) : 0;

		if (verbs[i].first && strncmp(message, verbs[i].text, bytes) == 0 &&
		    (!verbs[i].holds || verbs[i].holds(message + bytes)))
			return &verbs[i];
	}
	return NULL;
}

bool klog_has_verb(const char *line)
{
	for (size_t i = 0; i < VERB_COUNT; i++)
		if (verbs[i].text && strstr(line, verbs[i].text))
			return true;
	return may_hold_marks(line);
}

/* What begins like a stamp and is none was a stamp before a character was lost. */
static bool is_broken_stamp(const struct piece *piece)
{
	const char *text = piece->before;

	return piece->before_bytes && *text == '[' && isdigit((unsigned char)text[1 + strspn(text + 1, " <+")]);
}

/* Text that no prefix explains may stand before the verb only where a kernel's own prefix stands before that. */
static const char *parse_verb(struct input *input, const struct verb *verb, const struct piece *piece)
{
	if (piece->before_bytes && (!piece->stamp->glue || is_broken_stamp(piece)))
		return "no time before the message (boot with printk.time=1), or a prefix that is not known";
	return verb->parse(input, piece);
}

/* The verbs of @message, the first of which is @verb, at @at. */
static const char *parse_verbs(struct input *input, const struct stamp *stamp, const char *message,
			       const struct verb *verb, const char *at)
{
	struct piece piece = {.stamp = stamp, .before = message};
	const char *wrong = NULL;

	while (verb) {
		const char *rest = at + strlen(verb->text);
		const char *next = NULL;
		const struct verb *following = next_verb(rest, &next);
		char *text = following ? strndup(rest, (size_t)(next - rest)) : strdup(rest);
		const char *told;

		if (!text)
			more(NULL, 0, SIZE_MAX); /* says that there is no memory */
		piece.before_bytes = (size_t)(at - piece.before);
		piece.rest = text;
		told = parse_verb(input, verb, &piece);
		wrong = wrong ? wrong : told;
		free(text);
		if (told && !stamp->glue) /* all of the line is of another's making */
			break;
		piece.before = at = next;
		verb = following;
	}
	return wrong;
}

/* A message without a verb. */
static const char *parse_rest(struct input *input, const struct stamp *stamp, const char *message)
{
	bool known = false;
	const char *wrong = NULL;

	if (stamp->glue && strstr(message, " usecs") && (strstr(message, " took ") || strstr(message, " returned ")))
		wrong = parse_device(input, stamp, message, &known);
	return wrong || known ? wrong : check_marks(message);
}

/* Lines of several processors fall back a little. Back to near zero is another boot, whose first lines may be lost. */
static void look_at_time(struct input *input, uint64_t t_ns)
{
	if (!t_ns)
		return;
	if (t_ns + FALL_NS <= input->told_ns && t_ns <= input->told_ns / 4) {
		klog_add(input, RECORD_BOOT, t_ns, -1);
		input->open_count = 0;
		input->passed_ns = 0;
		input->past_init = false;
		input->first_ns = 0;
	}
	if (!input->first_ns || t_ns < input->first_ns)
		input->first_ns = t_ns;
	input->told_ns = t_ns;
}

const char *klog_message(struct input *input, const struct stamp *stamp, const char *message)
{
	const struct verb *verb = first_verb(message);
	const char *wrong;
	const char *at = message;

	look_at_time(input, stamp->boot_ns);
	if (is_command_line(message))
		return NULL;
	if (verb) {
		const struct piece piece = {.stamp = stamp, .rest = message + strlen(verb->text)};

		return parse_verb(input, verb, &piece);
	}
	verb = next_verb(message, &at);
	klog_partitions(input, stamp, message, verb ? (size_t)(at - message) : strlen(message));
	wrong = verb ? parse_verbs(input, stamp, message, verb, at) : parse_rest(input, stamp, message);
	if (wrong)
		klog_broken_begin(input, message);
	return wrong;
}

/*
 * A line of no interest, but that it was written while something was open, and before /init: if the log ends here, that
 * hangs. The first line tells when the log begins. The clock is a copy, or else lines without a microsecond would count
 * as placed.
 */
static void pass(struct input *input, const char *line)
{
	struct clock *clock = &input->clock;
	struct clock copy = *clock;
	struct stamp stamp;
	bool delta = prefix_has_delta(line);

	if (!delta && input->first_ns && (!input->open_count || input->past_init))
		return;
	prefix_read(line, delta ? clock : &copy, &stamp);
	if (!input->first_ns)
		input->first_ns = stamp.boot_ns;
	copy = *clock;
	if (input->open_count && !input->past_init && (stamp.boot_ns || stamp.wall_ns))
		input->passed_ns = clock_time(&copy, &stamp);
}

const char *parse_klog_line(struct input *input, char *line)
{
	const char *wrong = NULL;

	prefix_take_out_controls(line);
	if (!klog_has_verb(line) && !klog_has_partitions(input, line)) {
		pass(input, line);
		return NULL;
	}
	while (*line) {
		struct stamp stamp;
		char *message = line + (prefix_read(line, &input->clock, &stamp) - line);
		char *end = message;
		const char *told;
		char saved;

		while (*end && !prefix_is_stamp(end))
			end++;
		saved = *end;
		*end = 0;
		told = klog_message(input, &stamp, message);
		wrong = wrong ? wrong : told;
		*end = saved;
		line = end;
	}
	return wrong;
}

/* Mail programs wrap long lines. Where @line goes on, without what quotes it; NULL if it is a line of its own. */
const char *klog_goes_on(const char *line)
{
	struct clock unused = {0};
	struct stamp stamp;

	line += strspn(line, " \t>|");
	if (!*line || *line == '{')
		return NULL;
	for (size_t i = 0; i < VERB_COUNT; i++)
		if (verbs[i].text && strstr(line, verbs[i].text))
			return NULL;
	for (const char *text = line; (text = strchr(text, '[')); text++)
		if (prefix_is_stamp(text))
			return NULL;
	prefix_read(line, &unused, &stamp);
	return stamp.boot_ns || stamp.wall_ns ? NULL : line;
}
