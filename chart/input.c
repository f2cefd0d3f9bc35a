/* SPDX-License-Identifier: MIT */
/*
 * Reads files line by line; what a line is shows in the line itself, so one file may hold all forms. A carriage return
 * ends a line, too: captures of serial lines have them in any number.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "klog.h"

#define TOLD_MOST 10
#define LINE_MOST 65536 /* a trace's lines are shorter than 2048 bytes, a kernel's than 1024 and a prefix */

struct reader {
	struct input *input;
	const char *path;
	FILE *file;
	char *buffer; /* LINE_MOST bytes and a NUL */
	size_t begin, end;
	size_t number; /* of the line, as an editor counts */
	size_t part;   /* of the line, between carriage returns */
	char *held;    /* a line that was not understood, and may go on in the next one; NULL: there is none */
	const char *held_wrong;
	size_t held_number, held_part, held_open; /* of open calls before it */
	bool over;                                /* no more can be read */
	bool skipping;                            /* the rest of a line too long */
};

static void tell_of(const struct reader *reader, size_t number, size_t part, const char *what)
{
	reader->input->bad++;
	if (reader->input->bad <= TOLD_MOST && part > 1)
		fprintf(stderr, "inorder-chart: %s:%zu, part %zu: %s\n", reader->path, number, part, what);
	else if (reader->input->bad <= TOLD_MOST)
		fprintf(stderr, "inorder-chart: %s:%zu: %s\n", reader->path, number, what);
	if (reader->input->bad == TOLD_MOST + 1)
		fprintf(stderr, "inorder-chart: more such lines are counted only\n");
}

static void tell(const struct reader *reader, const char *what)
{
	tell_of(reader, reader->number, reader->part, what);
}

/* A serial line may lose its other end, and then yields zero bytes. */
static void take_out_zeros(char *line, size_t bytes)
{
	size_t used = 0;

	for (size_t i = 0; i < bytes; i++)
		if (line[i])
			line[used++] = line[i];
	line[used] = 0;
}

/* "{noformat}", "{code:title=dmesg}": how Jira marks what is quoted. */
static bool is_macro(const char *line)
{
	return strncmp(line, "{noformat}", 10) == 0 || strncmp(line, "{code}", 6) == 0 ||
	       strncmp(line, "{code:", 6) == 0;
}

const char *input_line(struct input *input, char *line, size_t bytes)
{
	const char *wrong;

	while (bytes && (line[bytes - 1] == '\n' || line[bytes - 1] == '\r'))
		line[--bytes] = 0;
	if (line[0] == '\x1e') /* journalctl -o json-seq */
		line++, bytes--;
	if (strncmp(line, "data: {", 7) == 0) /* json-sse */
		line += 6, bytes -= 6;
	if (strncmp(line, "- {", 3) == 0) /* LAVA's list */
		line += 2, bytes -= 2;
	if (line[0] == '{' && !is_macro(line) && strspn(line, "{} \t,") < bytes)
		return parse_trace_line(input, line, bytes);
	take_out_zeros(line, bytes);
	if (parse_json_member(input, line, &wrong) || parse_property(input, line, &wrong))
		return wrong;
	return parse_klog_line(input, line);
}

/* True if the line that is held reads with @rest behind it. */
static bool read_held(struct reader *reader, const char *rest)
{
	size_t bytes = strlen(reader->held);
	bool soft = bytes && reader->held[bytes - 1] == '='; /* a mail's lines are made shorter by that */
	char *joined = NULL;
	bool known;

	if (asprintf(&joined, "%.*s%s%s", (int)bytes - soft, reader->held, soft ? "" : " ", rest) < 0)
		more(NULL, 0, SIZE_MAX); /* says that there is no memory */
	reader->input->open_count = reader->held_open;
	known = !input_line(reader->input, joined, strlen(joined));
	free(joined);
	if (known) {
		free(reader->held);
		reader->held = NULL;
	}
	return known;
}

/* The line that is held is one of its own. */
static void give_up(struct reader *reader)
{
	if (!reader->held || read_held(reader, ""))
		return;
	tell_of(reader, reader->held_number, reader->held_part, reader->held_wrong);
	free(reader->held);
	reader->held = NULL;
}

/* True if @line is the rest of the one that is held: a mail was wrapped. */
static bool read_joined(struct reader *reader, const char *line)
{
	const char *rest = reader->held ? klog_goes_on(line) : NULL;

	return rest && read_held(reader, rest);
}

static void hold(struct reader *reader, const char *line, const char *wrong, size_t open_count)
{
	reader->held = strdup(line);
	if (!reader->held)
		more(NULL, 0, SIZE_MAX); /* says that there is no memory */
	reader->held_wrong = wrong;
	reader->held_number = reader->number;
	reader->held_part = reader->part;
	reader->held_open = open_count;
}

static void read_line(struct reader *reader, char *line, size_t bytes, bool whole)
{
	size_t count = reader->input->count;
	size_t open_count = reader->input->open_count;
	const char *wrong;

	if (read_joined(reader, line))
		return;
	give_up(reader);
	wrong = input_line(reader->input, line, bytes);
	if (wrong && !whole)
		fprintf(stderr, "inorder-chart: %s:%zu: the last line is cut short; its writer was stopped\n",
			reader->path, reader->number);
	else if (wrong && line[0] != '{' && reader->input->count == count)
		hold(reader, line, wrong, open_count);
	else if (wrong)
		tell(reader, wrong);
}

/* Makes room and reads more. False if nothing more comes, or the line fills the buffer. */
static bool fill(struct reader *reader)
{
	size_t kept = reader->end - reader->begin;
	size_t got;

	if (reader->over || kept == LINE_MOST)
		return false;
	memmove(reader->buffer, reader->buffer + reader->begin, kept);
	reader->begin = 0;
	got = fread(reader->buffer + kept, 1, LINE_MOST - kept, reader->file);
	reader->end = kept + got;
	reader->over = got == 0;
	return got > 0;
}

/* Where the line ends that begins at the reader's begin; NULL if its end is not in the buffer. */
static char *find_end(const struct reader *reader)
{
	char *start = reader->buffer + reader->begin;
	size_t bytes = reader->end - reader->begin;
	char *feed = memchr(start, '\n', bytes);
	char *carriage = memchr(start, '\r', feed ? (size_t)(feed - start) : bytes);

	return carriage ? carriage : feed;
}

static void too_long(struct reader *reader)
{
	if (!reader->skipping)
		tell(reader, "a line of more than 65536 bytes");
	reader->skipping = true;
	reader->begin = reader->end;
}

static void take_line(struct reader *reader, char *stop)
{
	char *start = reader->buffer + reader->begin;
	bool feed = *stop == '\n';

	*stop = 0;
	reader->begin += (size_t)(stop - start) + 1;
	if (stop > start && !reader->skipping) {
		reader->part++;
		read_line(reader, start, (size_t)(stop - start), true);
	}
	reader->skipping = false;
	if (feed) {
		reader->number++;
		reader->part = 0;
	}
}

static void read_all(struct reader *reader)
{
	const char *wrong;

	for (;;) {
		char *stop = find_end(reader);

		if (stop)
			take_line(reader, stop);
		else if (!fill(reader) && reader->over)
			break;
		else if (reader->end - reader->begin == LINE_MOST && !find_end(reader))
			too_long(reader);
	}
	if (reader->end > reader->begin && !reader->skipping) {
		reader->buffer[reader->end] = 0;
		reader->part++;
		read_line(reader, reader->buffer + reader->begin, reader->end - reader->begin, false);
	}
	give_up(reader);
	wrong = parse_json_end(reader->input);
	if (wrong)
		tell(reader, wrong);
}

/* False, told on standard error, if @reader's file cannot be read. */
static bool read_file(struct reader *reader)
{
	bool failed;

	reader->buffer = malloc(LINE_MOST + 1);
	if (!reader->buffer)
		more(NULL, 0, SIZE_MAX); /* says that there is no memory */
	errno = 0;
	read_all(reader);
	failed = ferror(reader->file);
	if (failed)
		fprintf(stderr, "inorder-chart: cannot read %s: %s\n", reader->path, strerror(errno));
	free(reader->buffer);
	return !failed;
}

bool input_read(struct input *input, const char *path)
{
	bool standard = strcmp(path, "-") == 0;
	struct reader reader = {.input = input, .path = standard ? "standard input" : path, .number = 1};
	bool done;

	reader.file = standard ? stdin : fopen(path, "re");
	if (!reader.file) {
		fprintf(stderr, "inorder-chart: cannot open %s: %s\n", path, strerror(errno));
		return false;
	}
	input->told_ns = 0;
	done = read_file(&reader);
	if (!standard)
		fclose(reader.file);
	return done;
}

bool input_systemd(struct input *input)
{
	struct reader reader = {.input = input, .path = "systemctl show", .number = 1};
	bool done;

	reader.file = popen("sed s/^/BootID=/ /proc/sys/kernel/random/boot_id; "
			    "systemctl show --no-pager && systemctl show --no-pager '*'",
			    "re");
	if (!reader.file) {
		fprintf(stderr, "inorder-chart: --systemd: cannot run systemctl: %s\n", strerror(errno));
		return false;
	}
	done = read_file(&reader);
	if (pclose(reader.file) == 0)
		return done;
	fprintf(stderr, "inorder-chart: --systemd: systemctl show has failed: is systemd the init of this machine? Of "
			"another one, give a file that systemctl show wrote there, as inorder-chart(1) says\n");
	return false;
}

void input_free(struct input *input)
{
	parse_json_forget(input);
	free(input->units);
	free(input->open_calls);
	free(input->refused);
	free(input->records);
	*input = (struct input){0};
}
