/* SPDX-License-Identifier: MIT */
/* Changes as they are asked for, and in words; whether they fit a trace. */
#define _GNU_SOURCE
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "replay.h"
#include "whatif.h"

#define TIMES_MOST 1e6
#define TIMES_LEAST 1e-3
#define PROCESSORS_MOST 9999

static bool refuse(const char *text)
{
	fprintf(stderr,
		"inorder-chart: --what-if %s: faster=NAME[,TIMES], async=NAME, earlier=NAME, threads or "
		"processors=NUMBER[,NUMBER BEFORE]; TIMES from %g to %g, NUMBER from 1 to %d\n",
		text, TIMES_LEAST, TIMES_MOST, PROCESSORS_MOST);
	return false;
}

/* "4": digits alone, and not more than there can be. Returns what stands behind it; NULL if it is no such number. */
static const char *read_number(const char *text, unsigned int *number)
{
	char *end;
	unsigned long value = isdigit((unsigned char)*text) ? strtoul(text, &end, 10) : 0;

	if (value < 1 || value > PROCESSORS_MOST)
		return NULL;
	*number = (unsigned int)value;
	return end;
}

/* "4", or "4,2" where the trace does not tell that there were two */
static bool read_processors(struct change *change, const char *text)
{
	unsigned int number = 0;

	change->name = "";
	change->processors = 0;
	text = read_number(text, &number);
	if (text && *text == ',')
		text = read_number(text + 1, &change->processors);
	change->times = number;
	return text && !*text;
}

bool change_read(struct change *change, const char *text)
{
	static const char *const words[] = {
#define CHANGE_WORD(name, word) word,
		CHANGES(CHANGE_WORD)
#undef CHANGE_WORD
	};
	size_t length = strcspn(text, "=");
	const char *name = text[length] ? text + length + 1 : "";
	const char *comma = strrchr(name, ',');
	char *end;

	*change = (struct change){CHANGE_NONE, NULL, 2, 0};
	for (size_t i = CHANGE_FASTER; i < sizeof(words) / sizeof(words[0]); i++)
		if (strlen(words[i]) == length && memcmp(words[i], text, length) == 0)
			change->kind = (enum change_kind)i;
	if (change->kind == CHANGE_FASTER && comma) {
		change->times = strtod(comma + 1, &end);
		if (end != comma + 1 && !*end)
			name = keep_part(name, (size_t)(comma - name));
		else
			change->times = 2; /* the comma is one of the name */
	}
	if (change->kind == CHANGE_PROCESSORS)
		return read_processors(change, name) || refuse(text);
	change->name = keep(name);
	if (change->kind != CHANGE_NONE && (change->kind == CHANGE_THREADS) == !*name && isfinite(change->times) &&
	    change->times >= TIMES_LEAST && change->times <= TIMES_MOST)
		return true;
	return refuse(text);
}

static bool ends_with(const char *name, const char *end)
{
	size_t bytes = strlen(name);

	return bytes > strlen(end) && strcmp(name + bytes - strlen(end), end) == 0;
}

/* Units that do nothing by themselves. */
static bool is_idle(const char *name)
{
	return ends_with(name, ".target") || ends_with(name, ".device") || ends_with(name, ".slice") ||
	       ends_with(name, ".scope");
}

/* A unit may well not come after the last of those that it came after; but after its device it must. */
static bool can_be_earlier(const struct model *model, const struct span *unit)
{
	size_t last = last_join(model, unit);

	return last != NONE && model->spans[last].is_unit &&
	       !ends_with(span_name(model, &model->spans[last]), ".device");
}

bool change_can(const struct model *model, const struct span *span, enum change_kind kind)
{
	bool wait = span->kind == SPAN_WAIT;

	if (span->stand_in != STANDS_FOR_ITSELF || span->kind == SPAN_TURN || (wait && !is_own_wait(span)) ||
	    (span->is_unit && is_idle(span_name(model, span))))
		return false;
	if (kind == CHANGE_ASYNC)
		return span->kind == SPAN_STEP && !span->is_unit;
	if (kind == CHANGE_EARLIER)
		return span->is_unit ? can_be_earlier(model, span)
				     : span->kind == SPAN_RUN || span->kind == SPAN_RETIRE;
	return kind == CHANGE_FASTER;
}

bool change_fits(const struct model *model, const struct change *change)
{
	bool stands_in = false;

	if (change->kind == CHANGE_THREADS)
		return true;
	if (change->kind == CHANGE_PROCESSORS) {
		if (change_processors(model, change))
			return true;
		fputs("inorder-chart: --what-if processors: the trace does not tell how many there were: add that, as in "
		      "processors=4,2\n",
		      stderr);
		return false;
	}
	for (size_t i = 0; i < model->span_count; i++) {
		const struct span *span = &model->spans[i];

		if (span->kind == SPAN_TURN || strcmp(span_name(model, span), change->name) != 0)
			continue;
		if (change_can(model, span, change->kind))
			return true;
		stands_in = stands_in || span->stand_in != STANDS_FOR_ITSELF;
	}
	if (stands_in)
		fprintf(stderr,
			"inorder-chart: --what-if: %s stands for all that was done then: it cannot be changed\n",
			change->name);
	else
		fprintf(stderr, "inorder-chart: --what-if: no %s is called %s; --text lists names\n",
			change->kind == CHANGE_ASYNC     ? "synchronous step"
			: change->kind == CHANGE_EARLIER ? "call or unit"
							 : "call or step",
			change->name);
	return false;
}

bool change_lacks_end(const struct model *model, const struct span *span)
{
	return span->unfinished && (span->end_ns >= model->path.end_ns ||
				    span->end_ns >= model->processes[model->threads[span->thread].process].last_ns);
}

const char *change_unended(const struct model *model)
{
	uint64_t sum_ns = 0;
	uint64_t most_ns = 0;
	const char *name = NULL;

	for (size_t i = 0; i < model->chain_count; i++) {
		const struct span *span = &model->spans[model->chain[i].span];
		uint64_t length_ns = model->chain[i].end_ns - model->chain[i].begin_ns;

		if (!change_lacks_end(model, span))
			continue;
		sum_ns += length_ns;
		if (length_ns > most_ns)
			name = span_name(model, span);
		most_ns = length_ns > most_ns ? length_ns : most_ns;
	}
	return sum_ns > (model->path.end_ns - model->path.begin_ns) / 2 ? name : NULL;
}

unsigned int change_processors(const struct model *model, const struct change *change)
{
	unsigned int most = change->processors ? change->processors : model->processors;

	for (size_t i = 0; i < model->process_count && !change->processors; i++)
		if (model->processes[i].processors > most)
			most = model->processes[i].processors;
	return most;
}

bool change_shares(const struct model *model, const struct change *change)
{
	if (change->kind == CHANGE_PROCESSORS)
		return true;
	for (size_t i = 0; i < model->span_count; i++)
		if (model->spans[i].cpu_ns)
			return change_processors(model, change) > 0;
	return false;
}

/* The unit that a unit of that name came after last, and would not with a change to earlier; NULL: it is no unit. */
static const char *earlier_than(const struct model *model, const char *name)
{
	for (size_t i = 0; i < model->span_count; i++) {
		const struct span *unit = &model->spans[i];
		size_t last;

		if (!unit->is_unit || strcmp(span_name(model, unit), name) != 0)
			continue;
		last = last_join(model, unit);
		return last == NONE ? NULL : span_name(model, &model->spans[last]);
	}
	return NULL;
}

const char *change_text(const struct model *model, const struct change *change, char *text, size_t bytes)
{
	int length = text_bytes(change->name ? change->name : "", 200);
	const char *than;

	switch (change->kind) {
	case CHANGE_FASTER:
		snprintf(text, bytes, "%.*s %g times as fast", length, change->name, change->times);
		break;
	case CHANGE_ASYNC:
		snprintf(text, bytes, "%.*s asynchronous", length, change->name);
		break;
	case CHANGE_EARLIER:
		than = earlier_than(model, change->name);
		snprintf(text, bytes, "%.*s %s%.*s", length, change->name, than ? "not after " : "earlier",
			 than ? text_bytes(than, 200) : 0, than ? than : "");
		break;
	case CHANGE_PROCESSORS:
		snprintf(text, bytes, "%g processors instead of %u", change->times, change_processors(model, change));
		break;
	case CHANGE_THREADS:
		snprintf(text, bytes, "a thread for every call");
		break;
	default:
		snprintf(text, bytes, "no change");
	}
	return text;
}
