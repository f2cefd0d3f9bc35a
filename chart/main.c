/* SPDX-License-Identifier: MIT */
/* inorder-chart: draws a trace, or a kernel log with initcall_debug, as SVG. */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <inorder/version.h>
#include <libxml/parser.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "chart.h"
#include "draw.h"
#include "html.h"
#include "json.h"
#include "moves.h"
#include "png.h"
#include "whatif.h"

enum format { SVG, PNG, HTML, TEXT, JSON, PERFETTO, WHAT_IF, ADVISE };

enum { DONE = 0, FAILED = 1, USAGE = 2, BAD_LINES = 3 };

struct options {
	const char **before; /* files of the chart to compare with */
	size_t before_count;
	const char *output;
	const char *format_name; /* the option that asked for the format, or NULL */
	const char *title;
	struct selection selection;
	struct change change;
	double width;
	enum format format;
	bool systemd;
};

static const char usage[] =
	"usage: inorder-chart [OPTION]... FILE...\n"
	"Draws traces (trace=FILE) and kernel logs with initcall_debug as one SVG. \"-\" is standard input.\n"
	"  -o, --output FILE           write there instead of standard output\n"
	"  -t, --title TEXT            what stands before the total, instead of the program's name\n"
	"  -H, --html                  a page to zoom, search and fold in, in one file\n"
	"  -c, --compare FILE          FILE's chart above, on one axis, and what moved (with --text or --json that alone);\n"
	"                              for each FILE of that chart\n"
	"  -G, --png                   the picture as PNG, by rsvg-convert; so does -o FILE.png\n"
	"  -T, --text                  a summary in words instead of the picture\n"
	"  -J, --json                  the model, for programs; docs/CHART.md describes it\n"
	"  -P, --perfetto              a trace for ui.perfetto.dev and chrome://tracing\n"
	"  -i, --what-if CHANGE        how long it would take, in words: faster=NAME[,TIMES], async=NAME, earlier=NAME,\n"
	"                              threads, processors=NUMBER[,BEFORE]\n"
	"  -a, --advise                which changes would gain most, in words\n"
	"  -S, --systemd               add the units of systemd, which runs here, on the same axis (of another machine: a\n"
	"                              FILE that systemctl show wrote there: inorder-chart(1))\n"
	"  -p, --pid PID               only this process\n"
	"  -f, --from SECONDS          begin picture, text and path there\n"
	"  -u, --until SECONDS         end them there\n"
	"  -e, --to NAME|PHASE|SECONDS where the path ends, instead of /init, the switch to the root, or the last event\n"
	"  -s, --symbols [OBJECT=]FILE where to find the names of OBJECT's functions\n"
	"  -w, --width PIXELS          width of the picture, 600 to 20000; 1400 unless told\n"
	"  -V, --version               print the version\n"
	"  -h, --help                  show this\n";

static const struct option long_options[] = {
	{"output", required_argument, NULL, 'o'},  {"title", required_argument, NULL, 't'},
	{"what-if", required_argument, NULL, 'i'}, {"advise", no_argument, NULL, 'a'},
	{"html", no_argument, NULL, 'H'},          {"compare", required_argument, NULL, 'c'},
	{"png", no_argument, NULL, 'G'},           {"text", no_argument, NULL, 'T'},
	{"pid", required_argument, NULL, 'p'},     {"from", required_argument, NULL, 'f'},
	{"until", required_argument, NULL, 'u'},   {"to", required_argument, NULL, 'e'},
	{"symbols", required_argument, NULL, 's'}, {"width", required_argument, NULL, 'w'},
	{"json", no_argument, NULL, 'J'},          {"systemd", no_argument, NULL, 'S'},
	{"perfetto", no_argument, NULL, 'P'},      {"version", no_argument, NULL, 'V'},
	{"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0},
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

/* What is written. False if @letter is no such option. */
static bool find_format(int letter, enum format *format)
{
	static const struct {
		int letter;
		enum format format;
	} formats[] = {{'a', ADVISE}, {'H', HTML},     {'G', PNG},    {'T', TEXT},
		       {'J', JSON},   {'P', PERFETTO}, {'i', WHAT_IF}};

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (formats[i].letter == letter) {
			*format = formats[i].format;
			return true;
		}
	return false;
}

static const char *option_name(int letter)
{
	const struct option *option = long_options;

	while (option->val != letter)
		option++;
	return option->name;
}

/* One output at a time, and one change. False, told on standard error, if there would be two. */
static bool format_option(struct options *options, int letter, enum format format)
{
	const char *name = option_name(letter);

	if (options->format_name && (options->format != format || format == WHAT_IF)) {
		fprintf(stderr, "inorder-chart: --%s and --%s: %s\n", options->format_name, name,
			options->format == format ? "one change is simulated at a time"
						  : "one of them is written at a time");
		return false;
	}
	options->format = format;
	options->format_name = name;
	return format != WHAT_IF || change_read(&options->change, optarg);
}

static bool seconds(const char *name, uint64_t *ns)
{
	double value;

	if (!number(name, optarg, 0, 1e9, &value))
		return false;
	*ns = (uint64_t)llround(value * 1e9);
	return true;
}

static bool option(struct options *options, int letter)
{
	enum format format;
	double value;

	if (find_format(letter, &format))
		return format_option(options, letter, format);
	switch (letter) {
	case 'o':
		options->output = strcmp(optarg, "-") == 0 ? NULL : optarg;
		return true;
	case 't':
		options->title = keep(optarg);
		return true;
	case 'c':
		*APPEND(options->before, options->before_count) = optarg;
		return true;
	case 'S':
		return options->systemd = true;
	case 'p':
		if (!number("pid", optarg, 1, 1e9, &value))
			return false;
		options->selection.pid = (long)value;
		return true;
	case 'f':
		return options->selection.has_from = seconds("from", &options->selection.from_ns);
	case 'u':
		return options->selection.has_to = seconds("until", &options->selection.to_ns);
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

/* One of the charts: what was read, and what was made of it. */
struct chart {
	struct input input;
	struct model model;
	char title[512];
};

static bool is_compared(const struct options *options)
{
	return options->before_count > 0;
}

static int render_compared(struct chart *before, struct chart *after, const struct options *options, FILE *file)
{
	struct layout layouts[2];
	const struct picture pictures[] = {{"before", before->title, &before->model, &layouts[0]},
					   {"after", after->title, &after->model, &layouts[1]}};
	struct comparison comparison;
	uint64_t before_ns = layout_length_ns(&before->model, &options->selection);
	uint64_t after_ns = layout_length_ns(&after->model, &options->selection);
	uint64_t length_ns = before_ns > after_ns ? before_ns : after_ns;
	int result;

	layout_build(&layouts[0], &before->model, length_ns, options->width);
	layout_build(&layouts[1], &after->model, length_ns, options->width);
	compare(&comparison, &before->model, &after->model);
	result = draw_compared(pictures, &comparison, file);
	compare_free(&comparison);
	layout_free(&layouts[0]);
	layout_free(&layouts[1]);
	return result;
}

static int render_svg(struct chart *before, struct chart *after, const struct options *options, FILE *file)
{
	struct layout layout;
	const struct picture picture = {NULL, after->title, &after->model, &layout};
	int result;

	if (is_compared(options))
		return render_compared(before, after, options, file);
	layout_build(&layout, &after->model, layout_length_ns(&after->model, &options->selection), options->width);
	result = draw(&picture, file);
	layout_free(&layout);
	return result;
}

/* Into a file of its own: where there is no PNG to be had, the output is left as it was. NULL: *@result says why. */
static FILE *make_png(struct chart *before, struct chart *after, const struct options *options, int *result)
{
	FILE *svg = tmpfile();
	FILE *png = tmpfile();

	*result = svg && png ? render_svg(before, after, options, svg) : -errno;
	if (*result == 0)
		*result = png_write(svg, png);
	if (svg)
		fclose(svg);
	if (*result == 0)
		return png;
	if (png)
		fclose(png);
	return NULL;
}

static int render_html(struct chart *before, struct chart *after, const struct options *options, FILE *file)
{
	const struct html_model models[] = {{&before->model, "before", before->title},
					    {&after->model, "after", after->title}};
	const struct html_model alone = {&after->model, NULL, after->title};
	struct comparison comparison;
	int result;

	if (!is_compared(options))
		return html_write(&alone, 1, NULL, file);
	compare(&comparison, &before->model, &after->model);
	result = html_write(models, 2, &comparison, file);
	compare_free(&comparison);
	return result;
}

/* What moved alone. */
static int render_moves(struct chart *before, struct chart *after, const struct options *options, FILE *file)
{
	const char *const titles[] = {before->title, after->title};
	struct comparison comparison;
	int result;

	compare(&comparison, &before->model, &after->model);
	result = options->format == TEXT ? moves_print(&comparison, titles, file)
					 : moves_json(&comparison, titles, file);
	compare_free(&comparison);
	return result;
}

static int render(struct chart *before, struct chart *after, const struct options *options, FILE *file)
{
	if (is_compared(options) && (options->format == TEXT || options->format == JSON))
		return render_moves(before, after, options, file);
	switch (options->format) {
	case TEXT:
		return summary_print(&after->model, after->title, file);
	case JSON:
		return json_write(&after->model, after->title, file);
	case PERFETTO:
		return perfetto_write(&after->model, after->title, file);
	case WHAT_IF:
		return whatif_print(&after->model, &options->change, after->title, file);
	case ADVISE:
		return advise_print(&after->model, after->title, file);
	case HTML:
		return render_html(before, after, options, file);
	case PNG:
	case SVG:
		break;
	}
	return render_svg(before, after, options, file);
}

static int copy(FILE *from, FILE *to)
{
	char buffer[65536];
	size_t bytes;

	rewind(from);
	while ((bytes = fread(buffer, 1, sizeof(buffer), from)) > 0)
		if (fwrite(buffer, 1, bytes, to) != bytes)
			return -errno;
	return ferror(from) || fflush(to) ? -errno : 0;
}

/* @png: what to write, or NULL. */
static int write_to_output(struct chart *before, struct chart *after, const struct options *options, FILE *png)
{
	FILE *file = options->output ? fopen(options->output, "we") : stdout;
	int result;

	if (!file)
		return -errno;
	result = png ? copy(png, file) : render(before, after, options, file);
	if (options->output && fclose(file) != 0 && result == 0)
		result = -errno;
	return result;
}

static int write_out(struct chart *before, struct chart *after, const struct options *options)
{
	FILE *png = NULL;
	int result = 0;

	if (options->format == PNG)
		png = make_png(before, after, options, &result);
	if (result == 0)
		result = write_to_output(before, after, options, png);
	if (png)
		fclose(png);
	if (result == 0)
		return DONE;
	fprintf(stderr, "inorder-chart: cannot write %s: %s\n", options->output ? options->output : "standard output",
		strerror(-result));
	return FAILED;
}

static int analyse(struct chart *chart, const struct options *options)
{
	struct model *model = &chart->model;

	if (!records_are_of_units(&chart->input))
		return FAILED;
	if (!model_build(model, &chart->input, options->selection.pid)) {
		fprintf(stderr,
			"inorder-chart: nothing to draw%s: neither a trace (INORDER_DEBUG=trace=FILE), nor a kernel "
			"log with initcall_debug, nor units of systemd\n",
			options->selection.pid ? " of that process" : "");
		return FAILED;
	}
	if (model->earlier_boots)
		fprintf(stderr, "inorder-chart: drawing the last of %zu boots\n", model->earlier_boots + 1);
	if (!model_select(model, &options->selection))
		return USAGE;
	model_find_chain(model);
	path_note(model);
	for (size_t i = 0; i < model->note_count; i++)
		fprintf(stderr, "inorder-chart: %s\n", model->notes[i]);
	if (chart->input.lost)
		fprintf(stderr, "inorder-chart: %zu lines are missing, its writer could not write them\n",
			chart->input.lost);
	if (options->format == WHAT_IF && !change_fits(model, &options->change))
		return USAGE;
	title_text(model, &options->selection, options->title, chart->title, sizeof(chart->title));
	return DONE;
}

static int load(struct chart *chart, const char *const *files, size_t count, bool systemd,
		const struct options *options)
{
	if (systemd && !input_systemd(&chart->input))
		return FAILED;
	for (size_t i = 0; i < count; i++)
		if (!input_read(&chart->input, files[i]))
			return FAILED;
	return count || systemd ? analyse(chart, options) : DONE;
}

static void unload(struct chart *chart)
{
	model_free(&chart->model);
	input_free(&chart->input);
}

static int run(const struct options *options, const char *const *files, size_t count)
{
	struct chart before = {.title = ""};
	struct chart after = {.title = ""};
	int result = load(&before, options->before, options->before_count, false, options);
	size_t bad;

	if (result == DONE)
		result = load(&after, files, count, options->systemd, options);
	if (result == DONE)
		result = write_out(&before, &after, options);
	bad = before.input.bad + after.input.bad;
	unload(&before);
	unload(&after);
	if (result == DONE && bad) {
		fprintf(stderr, "inorder-chart: %zu lines were not understood\n", bad);
		return BAD_LINES;
	}
	return result;
}

static bool ends_with(const char *text, const char *end)
{
	size_t bytes = strlen(text);

	return bytes > strlen(end) && strcmp(text + bytes - strlen(end), end) == 0;
}

/* Of what one chart alone is written. */
static bool is_comparable(const struct options *options)
{
	if (!is_compared(options) ||
	    (options->format != PERFETTO && options->format != WHAT_IF && options->format != ADVISE))
		return true;
	fprintf(stderr,
		"inorder-chart: --compare and --%s: two charts are compared as SVG, or with --html, --png, --text or --json\n",
		options->format_name);
	return false;
}

/* Two ends of the path. */
static bool ends_once(const struct options *options)
{
	if (!options->selection.end || !options->selection.has_to)
		return true;
	fputs("inorder-chart: --to and --until: both say where the path ends; give one of them\n", stderr);
	return false;
}

/* What lies before a range has a part in what a change does to it. */
static bool begins_whole(const struct options *options)
{
	if (!options->selection.has_from || (options->format != WHAT_IF && options->format != ADVISE))
		return true;
	fprintf(stderr,
		"inorder-chart: --from and --%s: a change is simulated from the chart's begin; --until can end it\n",
		options->format_name);
	return false;
}

static bool fits(const struct options *options, const char *const *files, size_t count)
{
	return is_comparable(options) && ends_once(options) && begins_whole(options) &&
	       input_survives(options->before, options->before_count, options->output) &&
	       input_survives(files, count, options->output);
}

int main(int argc, char **argv)
{
	struct options options = {.width = 1400};
	int result;
	int letter;

	while ((letter = getopt_long(argc, argv, "o:t:i:aHGc:TJPSp:f:u:e:s:w:Vh", long_options, NULL)) >= 0) {
		if (letter == 'h') {
			fputs(usage, stdout);
			return DONE;
		}
		if (letter == 'V') {
			puts("inorder-chart " INORDER_VERSION_STRING);
			return DONE;
		}
		if (!option(&options, letter)) {
			fputs("Try --help.\n", stderr);
			return USAGE;
		}
	}
	if (options.format == SVG && options.output && ends_with(options.output, ".png"))
		options.format = PNG;
	if (optind == argc && !options.systemd) {
		fputs(usage, stderr);
		return USAGE;
	}
	result = USAGE;
	if (fits(&options, (const char *const *)argv + optind, (size_t)(argc - optind)))
		result = run(&options, (const char *const *)argv + optind, (size_t)(argc - optind));
	free(options.before);
	resolve_free();
	keep_free();
	xmlCleanupParser();
	return result;
}
