/* SPDX-License-Identifier: MIT */
/* inorder-chart: draws a trace, or a kernel log with initcall_debug, as SVG. */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <libxml/parser.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "chart.h"
#include "json.h"

enum format { SVG, TEXT, JSON, PERFETTO };

enum { DONE = 0, FAILED = 1, USAGE = 2, BAD_LINES = 3 };

struct options {
	const char *output;
	const char *title;
	struct selection selection;
	double width;
	enum format format;
};

static const char usage[] =
	"usage: inorder-chart [OPTION]... FILE...\n"
	"Draws traces (trace=FILE) and kernel logs with initcall_debug as one SVG. \"-\" is standard input.\n"
	"  -o, --output FILE           write there instead of standard output\n"
	"  -t, --title TEXT            what stands before the total, instead of the program's name\n"
	"  -T, --text                  a summary in words instead of the picture\n"
	"  -J, --json                  the model, for programs; docs/CHART.md describes it\n"
	"  -P, --perfetto              a trace for ui.perfetto.dev and chrome://tracing\n"
	"  -p, --pid PID               only this process\n"
	"  -f, --from SECONDS          begin picture, text and path there\n"
	"  -u, --until SECONDS         end them there\n"
	"  -e, --to NAME|PHASE|SECONDS where the path ends, instead of /init, the switch to the root, or the last event\n"
	"  -s, --symbols [OBJECT=]FILE where to find the names of OBJECT's functions\n"
	"  -w, --width PIXELS          width of the picture, 600 to 20000; 1400 unless told\n"
	"  -V, --version               print the version\n"
	"  -h, --help                  show this\n";

static const struct option long_options[] = {
	{"output", required_argument, NULL, 'o'}, {"title", required_argument, NULL, 't'},
	{"text", no_argument, NULL, 'T'},         {"pid", required_argument, NULL, 'p'},
	{"from", required_argument, NULL, 'f'},   {"until", required_argument, NULL, 'u'},
	{"to", required_argument, NULL, 'e'},     {"symbols", required_argument, NULL, 's'},
	{"width", required_argument, NULL, 'w'},  {"json", no_argument, NULL, 'J'},
	{"perfetto", no_argument, NULL, 'P'},     {"version", no_argument, NULL, 'V'},
	{"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0},
};

static bool number(const char *option, const char *text, double least, double most, double *value)
{
	char *end;

	*value = strtod(text, &end);
	if (end != text && *end == 0 && isfinite(*value) && *value >= least && *value <= most)
		return true;
	fprintf(stderr, "inorder-chart: --%s %s: a number from %g to %g is needed\n", option, text, least, most);
	return false;
}

static bool option(struct options *options, int letter)
{
	double value;

	switch (letter) {
	case 'o':
		options->output = strcmp(optarg, "-") == 0 ? NULL : optarg;
		return true;
	case 't':
		options->title = keep(optarg);
		return true;
	case 'T':
		options->format = TEXT;
		return true;
	case 'J':
		options->format = JSON;
		return true;
	case 'P':
		options->format = PERFETTO;
		return true;
	case 'p':
		if (!number("pid", optarg, 1, 1e9, &value))
			return false;
		options->selection.pid = (long)value;
		return true;
	case 'f':
		if (!number("from", optarg, 0, 1e9, &value))
			return false;
		options->selection.from_ns = (uint64_t)(value * 1e9);
		return true;
	case 'u':
		if (!number("until", optarg, 0, 1e9, &value))
			return false;
		options->selection.to_ns = (uint64_t)(value * 1e9);
		return true;
	case 'e':
		options->selection.end = keep(optarg);
		return true;
	case 's':
		resolve_add(optarg);
		return true;
	case 'w':
		return number("width", optarg, 600, 20000, &options->width);
	default:
		return false;
	}
}

static int render(struct model *model, const struct options *options, FILE *file)
{
	struct layout layout;
	char title[512];
	int result;

	model_find_chain(model);
	title_text(model, &options->selection, options->title, title, sizeof(title));
	switch (options->format) {
	case TEXT:
		return summary_print(model, title, file);
	case JSON:
		return json_write(model, title, file);
	case PERFETTO:
		return perfetto_write(model, file);
	case SVG:
		break;
	}
	layout_build(&layout, model, &options->selection, options->width);
	result = draw(model, &layout, title, file);
	layout_free(&layout);
	return result;
}

static int write_out(struct model *model, const struct options *options)
{
	FILE *file = options->output ? fopen(options->output, "we") : stdout;
	const char *name = options->output ? options->output : "standard output";
	int result;

	if (!file) {
		fprintf(stderr, "inorder-chart: cannot create %s: %s\n", name, strerror(errno));
		return FAILED;
	}
	result = render(model, options, file);
	if (options->output && fclose(file) != 0 && result == 0)
		result = -errno;
	if (result == 0)
		return DONE;
	fprintf(stderr, "inorder-chart: cannot write %s: %s\n", name, strerror(-result));
	return FAILED;
}

static int chart(const struct options *options, struct input *input)
{
	struct model model;
	int result;

	if (!model_build(&model, input, options->selection.pid)) {
		fprintf(stderr,
			"inorder-chart: nothing to draw%s: neither a trace (INORDER_DEBUG=trace=FILE) nor a kernel log "
			"with initcall_debug\n",
			options->selection.pid ? " of that process" : "");
		model_free(&model);
		return FAILED;
	}
	if (model.earlier_boots)
		fprintf(stderr, "inorder-chart: drawing the last of %zu boots\n", model.earlier_boots + 1);
	if (input->lost)
		fprintf(stderr, "inorder-chart: %zu lines are missing, its writer could not write them\n", input->lost);
	result = model_select(&model, &options->selection) ? write_out(&model, options) : USAGE;
	model_free(&model);
	if (result == DONE && input->bad) {
		fprintf(stderr, "inorder-chart: %zu lines were not understood\n", input->bad);
		return BAD_LINES;
	}
	return result;
}

int main(int argc, char **argv)
{
	struct options options = {.width = 1400};
	struct input input = {0};
	int result = DONE;
	int letter;

	while ((letter = getopt_long(argc, argv, "o:t:TJPp:f:u:e:s:w:Vh", long_options, NULL)) >= 0) {
		if (letter == 'h') {
			fputs(usage, stdout);
			return DONE;
		}
		if (letter == 'V') {
			puts("inorder-chart " INORDER_VERSION);
			return DONE;
		}
		if (!option(&options, letter)) {
			fputs("Try --help.\n", stderr);
			return USAGE;
		}
	}
	if (optind == argc) {
		fputs(usage, stderr);
		return USAGE;
	}
	for (int i = optind; i < argc && result == DONE; i++)
		if (!input_read(&input, argv[i]))
			result = FAILED;
	if (result == DONE)
		result = chart(&options, &input);
	input_free(&input);
	resolve_free();
	keep_free();
	xmlCleanupParser();
	return result;
}
