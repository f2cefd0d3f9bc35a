/* SPDX-License-Identifier: MIT */
/* Passes over all points; see harness.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"

#define SMOKE_MOST_S 120
#define SLOW_NS 4000000000u /* a run that is expected to take longer is left out */

static struct settings settings = {.programs = ".",
				   .out = "out/bench",
				   .passes = 7,
				   .seconds = 540,
				   .limit_s = 8,
				   .foreign_most = 0.05,
				   .load_count = 1};

/* ---- points ---- */

static bool wanted(const struct row *row)
{
	const char *found = settings.only;
	size_t length = strlen(row->id);

	for (; found && (found = strstr(found, row->id)); found += length)
		if ((found == settings.only || found[-1] == ',') && (!found[length] || found[length] == ','))
			return true;
	return !settings.only;
}

static void set_swept(struct point *point, const char *name, unsigned value)
{
	if (!strcmp(name, "calls"))
		point->calls = value;
	else if (!strcmp(name, "threads"))
		point->threads = value;
	else
		point->domains = value;
}

/* In the smoke run a sweep adds nothing, unless it is the only row of its workload. */
static bool is_covered(size_t index)
{
	for (size_t i = 0; settings.smoke && rows[index].sweep && i < index; i++)
		if (!strcmp(rows[i].work, rows[index].work))
			return true;
	return false;
}

/* In the smoke run everything is small; what checks the order is not so small that it could come by chance. */
static void shrink(struct point *point)
{
	unsigned most = strncmp(point->row->work, "W2", 2) ? 2000 : 4000;

	if (point->calls > most)
		point->calls = most;
	if (!strcmp(point->row->work, "W4"))
		point->calls = 100;
	if (point->threads > 256)
		point->threads = 256;
}

static size_t values_of(const struct row *row)
{
	size_t count = 0;

	while (row->sweep && row->values[count])
		count++;
	return settings.smoke && count ? 1 : count;
}

static void point_make(struct point *point, const struct row *row, size_t value, unsigned loops)
{
	point->row = row;
	point->calls = row->calls;
	point->threads = row->threads;
	point->submitters = row->submitters;
	point->domains = row->domains ? row->domains : 1;
	point->loops = loops;
	if (row->sweep)
		set_swept(point, row->sweep, row->values[value]);
	point->before = value ? point - 1 : NULL;
	if (settings.smoke)
		shrink(point);
}

static void points_make(struct points *points)
{
	points->count = 0;
	points->point = calloc(row_count * 12 * LOADS_MOST, sizeof(*points->point));
	if (!points->point) {
		fprintf(stderr, "inorder-bench: no memory for the results\n");
		exit(1);
	}
	for (size_t i = 0; i < row_count; i++) {
		size_t values = values_of(&rows[i]);

		if (!wanted(&rows[i]) || is_covered(i))
			continue;
		for (size_t k = 0; k < (values ? values : 1) * settings.load_count; k++)
			point_make(&points->point[points->count++], &rows[i], k % (values ? values : 1),
				   settings.loads[k / (values ? values : 1)]);
	}
	if (points->count)
		return;
	fprintf(stderr, "inorder-bench: --only %s names no row; see bench/harness/suite.c\n", settings.only);
	exit(2);
}

/* ---- passes ---- */

/* From the point before in the sweep; 0: unknown. */
static double expected_ns(const struct point *point, size_t peer)
{
	struct summary summary;
	const struct figure *figure = &point->row->figures[0];

	if (!point->before || !summarize(&point->before->of[peer], 0, &summary))
		return 0;
	if (!strcmp(figure->unit, "ms"))
		return summary.median * 1e6 * (double)point->calls / (double)point->before->calls;
	return summary.median * (double)point->calls;
}

static bool leave_out(struct point *point, size_t peer)
{
	struct series *series = &point->of[peer];

	if (!peers[peer].there || series->cannot || series->slow || series->failed[0])
		return true;
	if (point->before && (point->before->of[peer].slow || expected_ns(point, peer) > SLOW_NS))
		series->slow = true;
	return series->slow;
}

static void keep(struct series *series, const struct sample *sample, bool good)
{
	if (good && series->goods < SAMPLES_MOST)
		series->good[series->goods++] = *sample;
	else if (!good && series->loadeds < SAMPLES_MOST)
		series->loaded[series->loadeds++] = *sample;
}

static void run_series(struct point *point, size_t peer, unsigned pass, struct machine *machine)
{
	struct series *series = &point->of[peer];
	enum outcome outcome = SAMPLE_LOADED;
	struct settings now = settings;

	if (settings.smoke && peer == PEER_INORDER)
		now.limit_s = SMOKE_MOST_S; /* a peer that is ended is left out, but this one has failed */
	for (int attempt = 0; attempt < (settings.smoke ? 1 : 2) && outcome == SAMPLE_LOADED; attempt++) {
		struct sample sample = {.pass = pass};

		outcome = sample_take(&now, point, &peers[peer], machine->spin, &sample, series->failed);
		series->cannot = outcome == SAMPLE_CANNOT;
		if (outcome == SAMPLE_GOOD || outcome == SAMPLE_LOADED)
			keep(series, &sample, outcome == SAMPLE_GOOD);
		machine->taken++;
		if (outcome == SAMPLE_LOADED) {
			series->discarded++;
			machine->discarded++;
		}
	}
	series->slow = outcome == SAMPLE_SLOW;
	if (series->slow && peer == PEER_INORDER)
		snprintf(series->failed, sizeof(series->failed), "took more than %u s and was ended", now.limit_s);
	if (series->failed[0]) {
		char name[128];

		point_name(point, name, sizeof(name));
		fprintf(stderr, "inorder-bench: %s with %s: %s\n", name, peers[peer].title, series->failed);
	}
}

/* Returns false when the time is over. */
static bool run_point(struct point *point, unsigned pass, uint64_t until_ns, struct machine *machine)
{
	if (!settings.only && point->row->passes && pass >= point->row->passes)
		return true;
	for (size_t i = 0; i < peer_count; i++) {
		size_t peer = (i + pass) % peer_count;

		if (clock_ns() >= until_ns)
			return false;
		if (!leave_out(point, peer))
			run_series(point, peer, pass, machine);
	}
	return true;
}

static void run_passes(struct points *points, struct machine *machine)
{
	uint64_t until_ns = clock_ns() + (uint64_t)settings.seconds * 1000000000u;
	unsigned passes = settings.smoke ? 1 : settings.passes;

	for (unsigned pass = 0; pass < passes; pass++) {
		for (size_t i = 0; i < points->count; i++) {
			if (run_point(&points->point[i], pass, until_ns, machine))
				continue;
			fprintf(stderr, "inorder-bench: %u s are over in pass %u of %u; what was measured is written\n",
				settings.seconds, pass + 1, passes);
			return;
		}
		machine->passes = pass + 1;
		fprintf(stderr,
			"inorder-bench: pass %u of %u; %u samples taken, %u of them discarded since the machine was busy\n",
			pass + 1, passes, machine->taken, machine->discarded);
	}
}

/* ---- the rest ---- */

static void machine_describe(struct machine *machine)
{
	struct utsname name;
	time_t now = time(NULL);
	struct tm local;
	char line[256];
	FILE *file = fopen("/proc/cpuinfo", "r");

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "model name : %127[^\n]", machine->processor) == 1)
			break;
	if (file)
		fclose(file);
	uname(&name);
	snprintf(machine->kernel, sizeof(machine->kernel), "%.30s %.90s", name.sysname, name.release);
	strftime(machine->date, sizeof(machine->date), "%Y-%m-%d %H:%M", localtime_r(&now, &local));
	machine->cpus = sysconf(_SC_NPROCESSORS_ONLN);
	machine->spin = sample_calibrate();
}

static void find_programs(void)
{
	char path[4096];
	size_t found = 0;

	for (size_t i = 0; i < peer_count; i++) {
		snprintf(path, sizeof(path), "%s/bench-%s", settings.programs, peers[i].name);
		peers[i].there = !access(path, X_OK);
		found += peers[i].there;
		if (!peers[i].there)
			fprintf(stderr, "inorder-bench: %s was not built, so it is left out\n", peers[i].title);
	}
	if (found && peers[PEER_INORDER].there)
		return;
	fprintf(stderr, "inorder-bench: no %s/bench-inorder; give the folder of the programs with --programs\n",
		settings.programs);
	exit(2);
}

static FILE *output(const char *name)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", settings.out, name);
	file = fopen(path, "w");
	if (file)
		return file;
	fprintf(stderr, "inorder-bench: cannot write %s: %s\n", path, strerror(errno));
	exit(1);
}

static void finish(FILE *file, const char *name)
{
	int error = ferror(file);

	if (!fclose(file) && !error)
		return;
	fprintf(stderr, "inorder-bench: cannot write %s/%s: %s\n", settings.out, name, strerror(errno));
	exit(1);
}

static void write_all(const struct points *points, const struct machine *machine)
{
	FILE *file;

	write_text(stdout, points, machine, false);
	file = output("results.txt");
	write_text(file, points, machine, false);
	finish(file, "results.txt");
	file = output("results.md");
	write_text(file, points, machine, true);
	finish(file, "results.md");
	file = output("results.json");
	write_json(file, points, machine);
	finish(file, "results.json");
	for (size_t i = 0; i < row_count; i++) {
		char name[64];

		if (!rows[i].sweep || !wanted(&rows[i]) || is_covered(i) || settings.load_count > 1)
			continue;
		snprintf(name, sizeof(name), "%s.svg", rows[i].id);
		file = output(name);
		plot_row(file, points, &rows[i]);
		finish(file, name);
	}
	fprintf(stderr, "inorder-bench: tables, JSON and plots are in %s/\n", settings.out);
}

static void make_folder(const char *path)
{
	char part[4096];

	for (size_t i = 1; i <= strlen(path) && i < sizeof(part); i++) {
		if (path[i] != '/' && path[i])
			continue;
		snprintf(part, sizeof(part), "%.*s", (int)i, path);
		if (mkdir(part, 0777) && errno != EEXIST) {
			fprintf(stderr, "inorder-bench: cannot make %s: %s\n", part, strerror(errno));
			exit(1);
		}
	}
}

static void usage(int code)
{
	fprintf(code ? stderr : stdout,
		"usage: inorder-bench [--programs DIR] [--out DIR] [--only ROW,ROW...] [--passes N] [--seconds N] [--load N[,N...]]\n"
		"                     [--foreign PERCENT] [--smoke]\n"
		"Runs every workload with every peer that was built, and writes tables, JSON and plots.\n"
		"--load: each row is measured beside so many busy loops, of the harness's own; several: without plots\n"
		"--foreign: a sample is discarded when others used more of the processors (5)\n"
		"--smoke: one small pass, for correctness and not for times; fails when a peer's program does\n");
	exit(code);
}

static void parse_loads(const char *list)
{
	char *end;

	settings.load_count = 0;
	do {
		unsigned long count = strtoul(list, &end, 10);

		if (end == list || count > LOOPS_MOST || settings.load_count == LOADS_MOST || (*end && *end != ','))
			usage(2);
		settings.loads[settings.load_count++] = (unsigned)count;
		list = end + 1;
	} while (*end);
}

static void parse(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		bool last = i + 1 == argc;

		if (!strcmp(argv[i], "--smoke"))
			settings.smoke = true, settings.limit_s = 5;
		else if (!strcmp(argv[i], "--help"))
			usage(0);
		else if (last)
			usage(2);
		else if (!strcmp(argv[i], "--programs"))
			settings.programs = argv[++i];
		else if (!strcmp(argv[i], "--out"))
			settings.out = argv[++i];
		else if (!strcmp(argv[i], "--only"))
			settings.only = argv[++i];
		else if (!strcmp(argv[i], "--passes"))
			settings.passes = (unsigned)strtoul(argv[++i], NULL, 10);
		else if (!strcmp(argv[i], "--seconds"))
			settings.seconds = (unsigned)strtoul(argv[++i], NULL, 10);
		else if (!strcmp(argv[i], "--foreign"))
			settings.foreign_most = strtod(argv[++i], NULL) / 100;
		else if (!strcmp(argv[i], "--load"))
			parse_loads(argv[++i]);
		else
			usage(2);
	}
	if (settings.passes < 1 || settings.passes > SAMPLES_MOST / 2 || settings.seconds < 1)
		usage(2);
}

static int failures(const struct points *points)
{
	int count = 0;

	for (size_t i = 0; i < points->count; i++)
		for (size_t peer = 0; peer < peer_count; peer++)
			count += points->point[i].of[peer].failed[0] != 0;
	return count;
}

int main(int argc, char **argv)
{
	struct machine machine = {.passes = 0};
	struct points points;
	int failed;

	parse(argc, argv);
	find_programs();
	machine_describe(&machine);
	points_make(&points);
	make_folder(settings.out);
	unsetenv("INORDER_THREADS");
	unsetenv("INORDER_PENDING");
	unsetenv("INORDER_DEBUG");
	run_passes(&points, &machine);
	write_all(&points, &machine);
	failed = failures(&points);
	if (failed)
		fprintf(stderr, "inorder-bench: %d of the programs' runs failed, see above\n", failed);
	free(points.point);
	return failed ? 1 : 0;
}
