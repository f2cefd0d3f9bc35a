/* SPDX-License-Identifier: MIT */
/*
 * What the files that read kernel logs share: prefix.c knows what stands before a message, clock.c when it was,
 * klog_steps.c what a message tells, parse_klog.c which messages a line holds, parse_jlog.c those of JSON.
 */
#ifndef CHART_KLOG_H
#define CHART_KLOG_H

#include "chart.h"

/* Where and when a line was written, as far as its prefix tells. */
struct stamp {
	uint64_t boot_ns; /* since boot, by the kernel's own clock; 0: not told */
	uint64_t wall_ns; /* since 1970, or since some year where the prefix tells none; 0: not told */
	uint64_t unit_ns; /* how fine wall_ns is */
	long tid;         /* -1: not told */
	bool glue;        /* the kernel's message follows, which may be glued to the rest of another */
	bool unknown;     /* text stands before the message that no row of the table knows */
};

/* Reads what stands before the message. Returns the message. */
const char *prefix_read(const char *line, struct clock *clock, struct stamp *stamp);
/* Firmware clears the screen, dmesg colours what it shows: takes out "\033[", numbers, a letter. Spaces that
 * do not break become spaces. */
void prefix_take_out_controls(char *line);
/* True if @line says how long after the line before it was written: so it counts, whatever its message. */
bool prefix_has_delta(const char *line);
/* True if a stamp of the kernel begins at @text: there another message is glued to this one. */
bool prefix_is_stamp(const char *text);

/* When a line with @stamp was written. Never before the lines before it, unless its stamp is exact. */
uint64_t clock_time(struct clock *clock, const struct stamp *stamp);
/* True if @stamp tells the microsecond. */
bool clock_is_exact(const struct stamp *stamp);
/* What is known to have lasted from @begin_ns for @length_ns has ended: the time that the end of it gets. */
uint64_t clock_end(struct clock *clock, const struct stamp *stamp, uint64_t begin_ns, uint64_t length_ns);

/* One verb of a message: what stands before it, and what comes after it up to the next one. */
struct piece {
	const struct stamp *stamp;
	const char *before;
	size_t before_bytes;
	const char *rest;
};

struct record *klog_add(struct input *input, int type, uint64_t t_ns, long tid);
/* What may follow a message: nothing, a space, a comma, a colour. */
bool klog_ends(const char *text);
/* Each: NULL if it was understood, else what is wrong with it. */
const char *parse_calling(struct input *input, const struct piece *piece);
const char *parse_initcall(struct input *input, const struct piece *piece);
const char *parse_probe(struct input *input, const struct piece *piece);
/* A message without a verb that may be a device's; *@known: it is. */
const char *parse_device(struct input *input, const struct stamp *stamp, const char *message, bool *known);
/* A message that was not understood. */
void klog_broken_begin(struct input *input, const char *message);
/* Text of a message without a verb, or before its first one: how long partitions were read. */
void klog_partitions(struct input *input, const struct stamp *stamp, const char *text, size_t bytes);
/* True if @line may hold what that one reads. */
bool klog_has_partitions(const struct input *input, const char *line);

/* One message of a kernel. NULL if it was understood, or of no interest; else what is wrong with it. */
const char *klog_message(struct input *input, const struct stamp *stamp, const char *message);
/* An object of journalctl -o json, or a message of dmesg --json. */
struct json_object;
bool is_json_log(struct json_object *object);
const char *parse_json_log(struct input *input, struct json_object *object);
/* A line of dmesg --json that holds a member of a message. False if @line is something else. */
bool parse_json_member(struct input *input, const char *line, const char **wrong);
/* A line of systemctl show. False if @line is something else. */
bool parse_property(struct input *input, const char *line, const char **wrong);
/* Drops the object whose members were read, one a line. */
void parse_json_forget(struct input *input);
/* The end of a file: what its last object tells. */
const char *parse_json_end(struct input *input);
/* Where @line goes on with the line before it, which was not understood; NULL if it is a line of its own. */
const char *klog_goes_on(const char *line);
/* True if @line may hold what klog_message() reads. */
bool klog_has_verb(const char *line);
#endif
