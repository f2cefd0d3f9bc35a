/* SPDX-License-Identifier: MIT */
/*
 * inorder-chart: from a trace to a picture, in steps that know only the one before:
 *
 *   input.c, parse_trace.c, parse_jlog.c,
 *   parse_klog.c, klog_steps.c, prefix.c,
 *   clock.c, parse_units.c                 lines    -> records
 *   records.c, model.c, calls.c, make.c, nest.c,
 *   units.c, stories.c, jumps.c, notes.c,
 *   resolve.c                              records  -> calls, threads, spans of time
 *   end.c, chain.c, gaps.c                 model    -> the critical path
 *   layout.c, bars.c, strip.c, callouts.c,
 *   names.c, scale.c, width.c              model    -> rows, lanes, coordinates, names
 *   compare.c, moves.c                     models   -> what moved
 *   draw*.c, svg.c                         layout   -> SVG
 *   png.c                                  SVG      -> PNG
 *   replay.c, load.c, simulate.c,
 *   outcome.c, changes.c, advise.c         model    -> what a change would do
 *   html.c, json_out.c, perfetto.c, json.c model    -> pages and data for programs
 *   title.c, summary.c                     model    -> text
 */
#ifndef CHART_H
#define CHART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <inorder/trace.h>

#define NONE SIZE_MAX
#define PROBE_DEFER 517 /* the kernel's EPROBE_DEFER: neither a success nor a failure; the probe is tried again */

/* What a program of this size does when memory is out: say so and end. */
void *more(void *array, size_t count, size_t bytes);
/* So many, and one more, all zero. */
void *zeroed(size_t count, size_t bytes);
#define APPEND(array, count) ((array) = more((array), (count), sizeof(*(array))), &(array)[(count)++])

/* Texts, each kept once: equal texts are equal pointers. Until keep_free(). What neither XML nor a terminal takes is
 * replaced. */
const char *keep(const char *text);
/* The same of a part of a text. */
const char *keep_part(const char *text, size_t bytes);
void keep_free(void);

/* ---- records ---- */

/* The events of enum async_trace_type, and those of the trace itself. */
enum record_type {
	RECORD_START = ASYNC_TRACE_TYPES, /* a process begins to write; name: its program, domain: its boot */
	RECORD_LOST,                      /* arg: lines that could not be written */
	RECORD_BOOT,                      /* of a kernel log: its clock has begun anew */
	RECORD_OTHER,                     /* nothing to draw */
};

struct record {
	int type;
	uint64_t t_ns;
	long pid; /* 0: a kernel log, which does not tell processes apart */
	long tid; /* -1: not known */
	uint64_t cookie;
	uint64_t arg;      /* as in ASYNC_TRACE_EVENTS; of waits, 0 stands for all */
	uint64_t since_ns; /* 0: unknown */
	uint64_t realtime_ns;
	size_t order; /* as read */
	int error;
	const char *domain;
	const char *domain_name; /* NULL: it has none, or another line tells */
	const char *func;
	const char *name;
	bool headless;        /* of a kernel log: an end whose "calling" is not there */
	bool flag;            /* scheduled, inline: the domain is exclusive; waiting, continued: for call arg alone;
				 calling, called: the end is lost */
	unsigned int version; /* of a start: of the trace's format */
	uint64_t started_ns;  /* of a start: when the process started; 0: not known */
};

/* A "calling  NAME" whose end has not been read yet. */
struct open_call {
	const char *name;
	uint64_t t_ns;
	uint64_t cookie;
	long tid;
	int type;
	bool broken;   /* its line was not understood */
	size_t record; /* that tells its begin, unless that is so */
};

/* What systemd tells of its own start, as times of CLOCK_MONOTONIC; 0: not told, or not so. */
struct systemd {
	uint64_t firmware_ns, loader_ns; /* how long before the kernel they began */
	uint64_t initrd_ns;              /* systemd in the initramfs begins */
	uint64_t userspace_ns;           /* systemd in the root begins */
	uint64_t security_ns[2], generators_ns[2], load_ns[2];
	bool container; /* it is the init of one */
};

/* A unit of systemd; times as above, each of the last time that it happened. */
struct unit {
	const char *name;
	const char *names; /* all of them, with spaces between */
	const char *after; /* the units that it comes after, with spaces between */
	const char *slice; /* whose figures have its own in them */
	uint64_t activating_ns, active_ns, inactive_ns;
	uint64_t condition_ns; /* its conditions were looked at */
	uint64_t cpu_ns;       /* what its processes have computed so far; 0: not told */
	bool failed;
};

/* The times of a kernel log's lines, as far as they are read. */
struct clock {
	uint64_t last_ns;       /* the latest time that a line got */
	uint64_t sum_ns;        /* of the times between lines, where a log tells those */
	uint64_t wall_begin_ns; /* the time of day, since 1970, that is 0 here; 0: not known yet */
	size_t placed;          /* lines without a time that is exact: placed in sequence, by what they say they took */
	int month, years;       /* of dates that do not tell the year */
	uint64_t days, day_s;   /* of times without a date: midnights, seconds since the day of the first line */
};

struct json_object;

struct input {
	struct record *records;
	size_t count;
	size_t bad;       /* lines that should have been understood and were not */
	size_t lost;      /* lines that the writer said it could not write */
	size_t lost_ends; /* of initcalls and callbacks */
	size_t renamed;   /* initcalls of which one line has another name than the other */
	size_t repeated;  /* lines of a trace that are there twice */
	long *refused;    /* processes whose trace is of a version that is not read */
	size_t refused_count;
	size_t callbacks;             /* of suspend and resume, that do not tell how long they take */
	struct open_call *open_calls; /* of a kernel log */
	size_t open_count;
	uint64_t first_ns;  /* the earliest time of the kernel log's lines, as it tells them; 0: not told */
	uint64_t told_ns;   /* the last one, in this file */
	bool past_init;     /* the kernel log has run /init */
	uint64_t passed_ns; /* if not: when it wrote the last line of no interest while something was open; or 0 */
	bool probes;        /* it tells of probes: it was written under initcall_debug */
	const char *disk;   /* whose partitions the kernel log has begun to tell, or NULL */
	uint64_t disk_ns;   /* when it told the last piece of that */
	struct clock clock;
	struct systemd systemd;
	struct unit *units;
	size_t unit_count;
	struct unit next_unit;   /* what is told of it before its name */
	const char *units_boot;  /* the id of their boot, or NULL: not told */
	unsigned int processors; /* that the kernel's log tells of; 0: it does not */
	const char *json_time;   /* of a message of dmesg --json, whose members stand in lines of their own */
	const char *json_caller;
	struct json_object *journal; /* an object of journalctl -o json-pretty, of the members that were read so far */
};

/* Reads all of @path ("-": standard input). False, told on standard error, if it cannot be read. */
bool input_read(struct input *input, const char *path);
/* False, told on standard error, if the file @output (NULL: none) is one of @files, and would be lost. */
bool input_survives(const char *const *files, size_t count, const char *output);
/* Reads what systemd, running here, tells of itself and its units. False, told on standard error, if it does not. */
bool input_systemd(struct input *input);
/*
 * One line, ended by NUL; its line end is taken off. NULL if it was understood, or of no interest; else what is wrong.
 */
const char *input_line(struct input *input, char *line, size_t bytes);
void input_free(struct input *input);
/* False, told on standard error, if the trace is of another boot than the units of systemd. */
bool records_are_of_units(const struct input *input);
/* Whether a kernel's log begins with its clock. */
bool records_from_zero(const struct input *input);
/* Moves all times, so that the kernel's clock begins at @ns, which is not 0. */
void records_move(struct input *input, uint64_t ns);
/* Marks what has begun and whose end was not read. */
void records_mark_open(struct input *input);
/* Ends initcalls and callbacks whose end is lost. True if there are some: their ends are the last records. */
bool records_end_lost(struct input *input);
/* Leaves the records of the last boot, sorted by time. Returns how many boots came before. */
size_t records_prepare(struct input *input);
/* Each takes one line without its end. NULL if it was understood, or of no interest; else what is wrong with it. */
const char *parse_trace_line(struct input *input, const char *line, size_t bytes);
const char *parse_klog_line(struct input *input, char *line);

/* ---- model ---- */

/* What a thread was doing. X(name, word) */
#define SPAN_KINDS(X) \
	X(RUN, "running") \
	X(STEP, "synchronous step") \
	X(RETIRE, "retiring") \
	X(WAIT, "waiting for calls") \
	X(TURN, "waiting for its turn")

enum span_kind {
#define SPAN_ENUM(name, word) SPAN_##name,
	SPAN_KINDS(SPAN_ENUM)
#undef SPAN_ENUM
		SPAN_TYPES
};

/* What a step that is in no trace or log, but follows from what is there, stands for. */
enum stand_in {
	STANDS_FOR_ITSELF,
	STANDS_FOR_PART, /* one thing by its name: start_kernel. Of what it consists is not told */
	STANDS_FOR_ALL,  /* whatever was done then: it explains nothing */
};

struct span {
	enum span_kind kind;
	uint64_t begin_ns;
	uint64_t end_ns;
	size_t thread;
	size_t call;             /* whose; of a wait: who waits. NONE if no call's */
	size_t parent;           /* the span that it began in, or NONE */
	size_t awaited;          /* of a wait: the call that it ended with, or NONE */
	bool one;                /* of a wait: for call wait_for alone */
	uint64_t wait_for;       /* of a wait: exclusive bound, 0: all */
	const char *name;        /* of a step; of a wait that the library does not know of: what for */
	const char *domain;      /* of a wait */
	const char *domain_name; /* of that; NULL: it has none */
	int error;
	size_t last_child; /* the span that ended last of those which began in it, or NONE */
	size_t sibling;    /* the child of the same parent before this one, or NONE */
	size_t retry_of;   /* of a probe: the deferred one before it, of the same device, or NONE */
	bool unfinished;   /* the trace ends before it does */
	enum stand_in stand_in;
	bool is_unit;    /* of systemd: it began when all its joins had ended, and systemd got to it */
	uint64_t cpu_ns; /* of a unit: what it has computed, then and later; 0: not told */
	size_t found_by; /* of a device on the path: the step of the kernel that ended last before it, or NONE */
	size_t *joins;   /* spans */
	size_t join_count;
	unsigned int lane; /* set by the layout */
};

struct call {
	uint64_t cookie;
	uint64_t by; /* cookie of the call that scheduled it, or 0 */
	size_t process;
	size_t scheduler; /* thread, or NONE */
	const char *name;
	const char *func;
	const char *domain;
	const char *domain_name;                                                   /* NULL: it has none */
	uint64_t scheduled_ns, started_ns, returned_ns, retiring_ns, completed_ns; /* 0: did not happen, or unknown */
	size_t run, retire;                                                        /* spans, or NONE */
	int error;
	bool inlined, helped, cancelled;
	bool exclusive; /* its domain takes no part in waits for all domains */
};

struct thread {
	size_t process;
	long tid;
	size_t number; /* from 1 in its process, in order of the rows */
	uint64_t first_ns;
	uint64_t last_ns;
	size_t same_tid;   /* the thread of that tid that was made before, or NONE */
	size_t open_place; /* in model.open_threads, while a span is open */
	size_t *stack;     /* open spans, the innermost last */
	size_t depth;
	size_t *spans; /* all of them in order of their begin */
	size_t span_count;
};

struct phase {
	size_t process;
	uint64_t begin_ns;
	uint64_t end_ns;
	const char *name;
};

struct process {
	long pid;
	const char *program; /* NULL: a kernel log, or its start is not in the file */
	uint64_t realtime_ns;
	unsigned int version;    /* of its trace */
	unsigned int processors; /* that it could use when it started to write; 0: not told */
	uint64_t last_ns;        /* of its last line: what is unfinished ends there */
	size_t threads;
	bool has_phases;
	bool is_systemd; /* its spans are units, but for those of its own thread */
	void *calls;     /* by cookie */
};

/* A part of a span that the whole had to wait for. */
enum link_kind {
	LINK_SPAN,     /* of the span itself */
	LINK_QUEUED,   /* from when the span's call was scheduled until a thread began it */
	LINK_DEFERRED, /* before the span, which tries a deferred probe again, nothing else was done */
};

extern const char *const link_words[]; /* "span", "queued", "defer" */

struct link {
	size_t span;
	enum link_kind kind;
	uint64_t begin_ns;
	uint64_t end_ns;
};

/* A part of the time that no link explains. It stands between what ended last in any thread and what came next. */
struct gap {
	size_t after;  /* the span that ended last before it; NONE: nothing did */
	size_t before; /* the span that came next; NONE: the end of the path */
	size_t within; /* the step that stands for all of it, or NONE */
	uint64_t begin_ns;
	uint64_t end_ns;
};

/* From where to where the critical path leads, and how much of that its links explain. */
struct path {
	uint64_t begin_ns;
	uint64_t end_ns;
	uint64_t explained_ns;
	const char *end_name;   /* "/init", a phase, ...; NULL: the last event */
	size_t end_span;        /* that ends there, if it is known; NONE: none in particular */
	size_t end_thread;      /* that it leads to; NONE: none in particular */
	size_t late_count;      /* spans that begin after the default end of a boot: marked, not stretched over */
	uint64_t late_first_ns; /* when the first of them begins */
};

/* What is shown of a chart: what lies outside counts nowhere. */
struct range {
	uint64_t begin_ns;
	uint64_t end_ns;
};

struct model {
	struct process *processes;
	struct thread *threads;
	struct call *calls;
	struct span *spans;
	struct phase *phases;
	void *threads_by_tid;
	size_t *open_threads; /* those with open spans, while the model is built */
	size_t *stand_ins;    /* threads of what does not tell its thread */
	struct link *chain;   /* the last first; with the gaps it covers all of the path */
	struct gap *gaps;     /* the last first */
	struct path path;
	struct range shown; /* by --from and --until; else all */
	size_t process_count, thread_count, call_count, span_count, phase_count, chain_count, gap_count;
	size_t open_count, stand_in_count;
	size_t workers;          /* that were started, as far as the trace says */
	unsigned int processors; /* that the kernel's log tells of; 0: it does not */
	size_t earlier_boots;
	const char **notes; /* what a reader has to know: a part of the log is lost, times are estimates, ... */
	size_t note_count;
	size_t last_thread; /* that wrote the last line, or NONE */
	size_t login;       /* the span of the target that systemd booted to, or NONE */
	uint64_t zero_ns; /* what outputs call 0: the begin of the kernel if what came before is known, else begin_ns */
	uint64_t moved_ns; /* how much later times are here than on the clock of what was read */
	uint64_t begin_ns;
	uint64_t end_ns;
};

struct selection {
	long pid;         /* 0: all */
	uint64_t from_ns; /* after what outputs call 0 */
	uint64_t to_ns;
	bool has_from;   /* or else: from the begin of the model */
	bool has_to;     /* or else: to the end */
	const char *end; /* --to: a call, a step, a phase or seconds; NULL: the default end */
};

/* False if there is nothing to draw. */
bool model_build(struct model *model, struct input *input, long pid);
void model_free(struct model *model);
const char *call_name(const struct call *call);
/* What a domain is called: its name, else its symbol; NULL: @domain is NULL. */
const char *domain_text(const char *domain, const char *name);
const char *span_name(const struct model *model, const struct span *span);
/* What it is called in the picture: of a wait, what it waits for. Returns @text. */
const char *span_label(const struct model *model, const struct span *span, char *text, size_t bytes);
extern const char *const span_words[]; /* "run", "step", "retire", "wait", "turn" */
bool span_failed(const struct model *model, const struct span *span);
/* Sets the range of the path (model->path). False, told on standard error, if it is empty or its end is not there. */
bool model_select(struct model *model, const struct selection *selection);
/* Which call's completion ended each wait, and what decided how long the range took: model->chain and gaps. */
void model_find_chain(struct model *model);
/* Its last step: what no link explains. */
void model_find_gaps(struct model *model);
/* Of those that a unit had to come after: the one that ended last; of several, the one that took longest; or NONE. */
size_t last_join(const struct model *model, const struct span *unit);
/* "after NAME", for people. Returns @text. */
const char *gap_text(const struct model *model, const struct gap *gap, char *text, size_t bytes);
/* What the path consists of, and what would shorten it most. 512 bytes are enough. Returns @text. */
const char *path_sentence(const struct model *model, char *text, size_t bytes);
/* Notes how much of the path no more than a name is known of, if that is much. */
void path_note(struct model *model);
/* "-1.25 ms": when it was. Returns @text. */
const char *moment_text(const struct model *model, uint64_t t_ns, char *text, size_t bytes);
/* Cuts a time to what is shown of the chart. False if nothing of it is: it lies outside, or ends where that begins. */
bool model_shows(const struct model *model, uint64_t *begin_ns, uint64_t *end_ns);
/* How long a span lasts in what is shown. */
uint64_t shown_ns(const struct model *model, const struct span *span);
/* How long it lasts; what begins after the end of a boot does not stretch it. */
uint64_t phase_length_ns(const struct model *model, const struct phase *phase);
/* How much of the path is explained, in tenths of a percent. */
unsigned int path_permille(const struct model *model);

/* "object+0xoffset" becomes a name of the object's symbol table, when it is there. */
void resolve_add(const char *argument); /* "OBJECT=FILE", or "FILE" */
const char *resolve(const char *func);
void resolve_free(void);

/* ---- layout ---- */

struct scale {
	uint64_t begin_ns;
	uint64_t end_ns;
	double left;
	double width;
};

double scale_x(const struct scale *scale, uint64_t t_ns);
/* A step of 1, 2 or 5 times a power of ten with at most @most ticks, ns. */
uint64_t scale_step_ns(const struct scale *scale, unsigned int most);
/* "1.25 ms". Returns @text. */
const char *duration_text(uint64_t ns, char *text, size_t bytes);
/* A tick's label, with as many decimals as @step_ns needs. */
const char *tick_text(int64_t ns, uint64_t step_ns, char *text, size_t bytes);

/* How wide a text is at a font size of 1, and how much of it fits. */
double text_width(const char *text);
/* How many bytes, @most at most, so that no character is torn: for "%.*s". */
int text_bytes(const char *text, int most);
/* @text, cut with an ellipsis so that it fits; "" if no sensible part fits. */
const char *text_fit(const char *text, double width, double size, char *out, size_t bytes);

/* ---- drawing ---- */

struct svg;

/* NULL if there is no memory. The texts must stay until svg_close(). */
struct svg *svg_open(const char *title, const char *style);
/* Ends the document, gives it a page of that size, and writes it. 0 or -errno. */
int svg_close(struct svg *svg, double width, double height, FILE *file);
void svg_group(struct svg *svg, const char *class_name);
/* The same, with a font size for the texts in it. */
void svg_group_sized(struct svg *svg, const char *class_name, double font);
/* Moved down by @y. */
void svg_group_at(struct svg *svg, double y);
void svg_group_end(struct svg *svg);
/* @tooltip may be NULL. */
void svg_rect(struct svg *svg, double x, double y, double width, double height, const char *class_name,
	      const char *tooltip);
void svg_line(struct svg *svg, double x1, double y1, double x2, double y2, const char *class_name);
void svg_path(struct svg *svg, const char *path, const char *class_name, const char *tooltip);
/* @anchor: "start", "middle" or "end"; @size: of the font, px; 0: the class' own. */
void svg_text(struct svg *svg, double x, double y, double size, const char *anchor, const char *class_name,
	      const char *text);
/* Diagonal stripes, to fill with "url(#id)". */
void svg_stripes(struct svg *svg, const char *id, const char *ground, const char *stripe);

/* ---- text ---- */

int summary_print(struct model *model, const char *title, FILE *file);
/* "name: 1.234 s", or @given with the total after it. */
void title_text(const struct model *model, const struct selection *selection, const char *given, char *text,
		size_t bytes);
#endif
