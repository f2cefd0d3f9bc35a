/* SPDX-License-Identifier: MIT */
/*
 * The harness: runs the benchmark programs, one for each peer, and writes down what they measured.
 *
 * A point is one workload with its parameters; a sample is one run of one program at one point. The harness goes
 * through all points several times (passes). In a pass, the samples of a point follow each other, one for each peer,
 * in an order that rotates from pass to pass: they form pairs that saw the same machine. A sample during which
 * others used the processors is discarded, and tried again once.
 */
#ifndef HARNESS_H
#define HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>

#define FIGURES_MOST 12
#define SAMPLES_MOST 64
#define LOADS_MOST 4
#define LOOPS_MOST 64
#define PEERS_MOST 12

/*
 * Every peer, in the order of the columns. X(file name of the program, what the tables say, colour of its curve,
 * most calls of a sample, since it is slow; 0: as many as the row says)
 */
#define PEERS(X) \
	X("inorder", "inorder", "#d62728", 0) \
	X("2009", "2009 design", "#8c564b", 0) \
	X("glib", "GLib", "#1f77b4", 0) \
	X("libuv", "libuv", "#17becf", 0) \
	X("tbb", "oneTBB", "#2ca02c", 0) \
	X("libgomp", "libgomp", "#9467bd", 0) \
	X("libomp", "libomp", "#e377c2", 0) \
	X("thread", "a thread each", "#7f7f7f", 20000) \
	X("serial", "in a row", "#bcbd22", 0) \
	X("limit", "the machine", "#000000", 0)

struct peer_info {
	const char *name, *title, *colour;
	unsigned calls_most;
	bool there; /* the program was built */
};

extern struct peer_info peers[];
extern const size_t peer_count;
#define PEER_INORDER 0
/* Measures to compare with, and no ways to run calls. */
bool is_peer(size_t index);

struct figure {
	const char *key; /* as the programs print it */
	const char *unit;
	const char *what;
};

/* What is measured: workload and figures, once, however many points. */
struct row {
	const char *id; /* unique; names the row in JSON and on the command line */
	const char *title;
	const char *work; /* the programs' name of the workload */
	unsigned calls, threads, submitters, domains;
	struct figure figures[FIGURES_MOST];
	/* A sweep: the values of calls, threads or domains in turn; drawn as a plot of the first figure. */
	const char *sweep;
	unsigned values[12]; /* ends with 0 */
	unsigned passes;     /* at most so many, unless it is asked for by --only; 0: as all */
};

extern const struct row rows[];
extern const size_t row_count;

/* A sample's figures. */
struct sample {
	double value[FIGURES_MOST];
	double foreign; /* share of the processors that others used */
	unsigned pass;
};

/* All samples of one peer at one point. */
struct series {
	struct sample good[SAMPLES_MOST], loaded[SAMPLES_MOST];
	unsigned goods, loadeds, discarded;
	bool cannot;      /* the peer has no such thing */
	bool slow;        /* took too long, or would */
	char failed[256]; /* what the program said */
};

struct point {
	const struct row *row;
	unsigned calls, threads, submitters, domains;
	unsigned loops; /* that run beside it */
	struct series of[PEERS_MOST];
	struct point *before; /* of the same sweep, or NULL */
};

struct points {
	struct point *point;
	size_t count;
};

struct settings {
	const char *programs, *out, *only;
	unsigned passes, seconds;
	bool smoke;
	unsigned limit_s;                       /* a run that takes longer is ended */
	double foreign_most;                    /* share of the processors that others may use */
	unsigned loads[LOADS_MOST], load_count; /* busy loops beside the samples: each row once for each */
};

/* ---- sample.c ---- */

enum outcome { SAMPLE_GOOD, SAMPLE_LOADED, SAMPLE_CANNOT, SAMPLE_SLOW, SAMPLE_FAILED };

/* One run. What the program complained of is put into text. */
enum outcome sample_take(const struct settings *settings, const struct point *point, const struct peer_info *peer,
			 uint64_t spin_turns, struct sample *sample, char text[256]);
/* Turns of the spin loop in a microsecond. */
uint64_t sample_calibrate(void);
uint64_t clock_ns(void);
uint64_t usage_ns(const struct rusage *used);

/* ---- load.c: busy loops beside a sample ---- */

/* False if not all could be started; load_end() comes after it in any case, and returns their processor time. */
bool load_begin(unsigned count);
uint64_t load_end(void);

/* ---- results.c ---- */

struct summary {
	double median, low, high; /* quartiles */
	double worst;
	unsigned samples;
	bool loaded; /* there were none but loaded samples */
};

/* False when there is no sample. */
bool summarize(const struct series *series, size_t figure, struct summary *summary);
/* The median over the passes of peer / inorder, both of one pass; 0 without pairs. */
double paired_ratio(const struct point *point, size_t peer, size_t figure);
size_t figure_count(const struct row *row);

/* ---- write.c, plot.c ---- */

struct machine {
	char processor[128], kernel[128], date[64];
	long cpus;
	uint64_t spin;
	unsigned passes;
	unsigned discarded, taken;
};

void write_text(FILE *file, const struct points *points, const struct machine *machine, bool markdown);
void write_json(FILE *file, const struct points *points, const struct machine *machine);
void write_limits(FILE *file, bool markdown);
void point_name(const struct point *point, char *text, size_t bytes);
/* One plot of a row that is a sweep. */
void plot_row(FILE *file, const struct points *points, const struct row *row);

#endif
