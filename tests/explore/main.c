/* SPDX-License-Identifier: MIT */
/* explore: runs cases under every schedule within a bound, under random ones, or under a recorded one. */
#include <getopt.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "explore.h"

#define SHORT_SCHEDULES 6000 /* of a case, in the short form */

static struct {
	bool deep, list, coverage, stop;
	unsigned bound;
	bool bound_given;
	unsigned long random, seed;
	const char *only, *group;
	unsigned long most; /* schedules a case; 0: no limit */
	double seconds;     /* most a case may take; 0: no limit */
} options;

static struct {
	unsigned long long schedules, steps, failures, cut;
} totals;

static double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- failures ---- */

/* Names the places in the program that the text has as addresses. */
static void print_places(const char *text)
{
	const char *at = text;

	while ((at = strstr(at, " at 0x"))) {
		char command[256], line[512];
		FILE *pipe;

		snprintf(command, sizeof(command), "addr2line -s -f -p -e /proc/%d/exe 0x%lx 2>/dev/null",
			 (int)getpid(), strtoul(at + 4, NULL, 16) - 1);
		at += 6;
		pipe = popen(command, "r");
		if (!pipe)
			return;
		while (fgets(line, sizeof(line), pipe))
			printf("    %s", line);
		pclose(pipe);
	}
}

static void print_failure(const struct sim_case *which)
{
	static char schedule[60000];

	sim_schedule(schedule, sizeof(schedule));
	printf("FAILED %s: %s\n", which->name, sim_result.failure);
	print_places(sim_result.failure);
	printf("  replay: explore --replay %s@%s\n", which->name, schedule);
	fflush(stdout);
	totals.failures++;
}

static void on_signal(int number)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, number);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	if (number == SIGALRM && !sim_current)
		return;
	sim_fail("%s", number == SIGALRM ? "the run does not end: no scheduling point is reached" : strsignal(number));
}

static void catch_signals(void)
{
	static char stack[65536];
	stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)};
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK | SA_NODEFER};
	const int numbers[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGALRM};

	sigaltstack(&alternate, NULL);
	for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		sigaction(numbers[i], &action, NULL);
}

/* ---- exploring ---- */

static bool run_once(const struct sim_case *which)
{
	bool good;

	if (!(totals.schedules % 512))
		alarm(20);
	good = sim_run(which);
	totals.schedules++;
	totals.steps += sim_result.steps;
	if (!good)
		print_failure(which);
	return good;
}

/* How a case ended. */
enum ending { ALL, CUT, BAD };

static struct {
	unsigned long long schedules;
	double seconds;
} limit; /* when the case is cut short */

static bool over_limit(void)
{
	return totals.schedules >= limit.schedules || (!(totals.schedules % 256) && seconds_now() > limit.seconds);
}

static void limit_case(void)
{
	limit.schedules = options.most ? totals.schedules + options.most : UINT64_MAX;
	limit.seconds = options.seconds > 0 ? seconds_now() + options.seconds : 1e30;
}

/* Every schedule with at most bound deviations. */
static enum ending explore_bound(const struct sim_case *which, unsigned bound)
{
	sim_explore(bound);
	do {
		if (!run_once(which))
			return BAD;
		if (over_limit())
			return CUT;
	} while (sim_next());
	return ALL;
}

static bool explore_random(const struct sim_case *which)
{
	unsigned length = 100;

	for (unsigned long i = 0; i < options.random; i++) {
		sim_random(options.seed + i, 3, length);
		if (!run_once(which))
			return false;
		length = sim_result.steps;
	}
	return true;
}

static unsigned bound_of(const struct sim_case *which)
{
	if (options.bound_given)
		return options.bound;
	if (options.deep)
		return which->bound_long ? which->bound_long : 3;
	return which->bound ? which->bound : 2;
}

static void explore_case(const struct sim_case *which)
{
	unsigned long long before = totals.schedules;
	double begun = seconds_now();
	unsigned bound = 0, most = bound_of(which);
	enum ending ending;
	char reached[32] = "at random";

	limit_case();
	if (options.random) {
		ending = explore_random(which) ? ALL : BAD;
	} else {
		while ((ending = explore_bound(which, bound)) == ALL && bound < most)
			bound++;
		snprintf(reached, sizeof(reached), "%s %u", ending == CUT ? "part of bound" : "all of bound", bound);
	}
	totals.cut += ending == CUT;
	printf("%s %-24s %9llu schedules, %s, %.1f s  (%s)\n", ending == BAD ? "FAILED" : "ok    ", which->name,
	       totals.schedules - before, reached, seconds_now() - begun, which->rules);
	fflush(stdout);
}

static const struct {
	const char *name;
	const struct sim_case *cases;
} groups[] = {
#define ENTRY(group) {#group, cases_##group},
	EXPLORE_GROUPS(ENTRY)
#undef ENTRY
};

static unsigned each_case(void (*what)(const struct sim_case *which))
{
	unsigned count = 0;

	for (unsigned i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		if (options.group && strcmp(options.group, groups[i].name))
			continue;
		for (const struct sim_case *which = groups[i].cases; which->name; which++) {
			if ((options.only && strcmp(options.only, which->name)) || (options.stop && totals.failures))
				continue;
			what(which);
			count++;
		}
	}
	return count;
}

static void list_case(const struct sim_case *which)
{
	printf("%-24s %s\n", which->name, which->rules);
}

static const char *schedule_given;

static void replay_case(const struct sim_case *which)
{
	if (!sim_replay(schedule_given)) {
		fprintf(stderr, "explore: %s is no schedule: numbers as in 4:1,17:2 are wanted\n", schedule_given);
		exit(2);
	}
	sim_verbose = true;
	if (run_once(which))
		printf("%s: nothing is wrong under this schedule\n", which->name);
}

static int replay(char *line)
{
	char *at = strchr(line, '@');

	if (!at) {
		fprintf(stderr, "explore: %s: CASE@SCHEDULE is wanted, as a failure prints it\n", line);
		return 2;
	}
	*at = '\0';
	options.only = line;
	schedule_given = at + 1;
	if (!each_case(replay_case)) {
		fprintf(stderr, "explore: there is no case %s; --list names them\n", line);
		return 2;
	}
	return totals.failures ? 1 : 0;
}

/* ---- coverage ---- */

static int compare_sites(const void *a, const void *b)
{
	const struct sim_site *left = a, *right = b;
	int order = strcmp(left->file, right->file);

	return order ? order : (left->line > right->line) - (left->line < right->line);
}

static bool of_core(const struct sim_site *site)
{
	return strstr(site->file, "core/");
}

static void print_coverage(void)
{
	size_t count = (size_t)(__stop_sim_sites - __start_sim_sites);
	unsigned total = 0, reached = 0, switched = 0;

	qsort(__start_sim_sites, count, sizeof(struct sim_site), compare_sites);
	for (size_t i = 0; i < count; i++) {
		struct sim_site *site = &__start_sim_sites[i], *next = site + 1;

		if (i + 1 < count && !compare_sites(site, next) && !strcmp(site->operation, next->operation)) {
			next->reached += site->reached; /* one place, compiled twice */
			next->switched += site->switched;
			continue;
		}
		if (!of_core(site))
			continue;
		total++;
		reached += site->reached > 0;
		switched += site->switched > 0;
		if (options.coverage && !site->switched)
			printf("  %s: %s:%u %s\n", site->reached ? "never switched at" : "never reached", site->file,
			       site->line, site->operation);
	}
	printf("scheduling points of the core: %u, reached %u, with a switch %u\n", total, reached, switched);
}

static void usage(FILE *to)
{
	fprintf(to, "usage: explore [--long] [--bound N] [--random RUNS [--seed N]] [--group G] [--case NAME]\n"
		    "               [--most SCHEDULES] [--seconds N] [--stop] [--coverage] | --list | --replay "
		    "CASE@SCHEDULE\n");
}

static unsigned number(const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || value > 1000000000) {
		fprintf(stderr, "explore: %s: a whole number up to 1000000000 is wanted\n", text);
		exit(2);
	}
	return (unsigned)value;
}

static void take_option(int option)
{
	switch (option) {
	case 'l':
		options.deep = true;
		options.most = 0;
		break;
	case 'b':
		options.bound = number(optarg);
		options.bound_given = true;
		break;
	case 'r':
		options.random = number(optarg);
		break;
	case 's':
		options.seed = number(optarg);
		break;
	case 'm':
		options.most = number(optarg);
		break;
	case 't':
		options.seconds = number(optarg);
		break;
	case 'g':
		options.group = optarg;
		break;
	case 'c':
		options.only = optarg;
		break;
	case 'L':
		options.list = true;
		break;
	case 'C':
		options.coverage = true;
		break;
	case 'S':
		options.stop = true;
		break;
	case 'R':
		exit(replay(optarg));
	default:
		usage(option == 'h' ? stdout : stderr);
		exit(option == 'h' ? 0 : 2);
	}
}

static void parse(int argc, char **argv)
{
	static const struct option known[] = {{"long", 0, 0, 'l'},     {"bound", 1, 0, 'b'},  {"random", 1, 0, 'r'},
					      {"seed", 1, 0, 's'},     {"group", 1, 0, 'g'},  {"case", 1, 0, 'c'},
					      {"list", 0, 0, 'L'},     {"replay", 1, 0, 'R'}, {"seconds", 1, 0, 't'},
					      {"coverage", 0, 0, 'C'}, {"most", 1, 0, 'm'},   {"stop", 0, 0, 'S'},
					      {"help", 0, 0, 'h'},     {0, 0, 0, 0}};
	int option;

	options.deep = getenv("INORDER_TEST_LONG") != NULL;
	options.seed = 1;
	options.most = options.deep ? 0 : SHORT_SCHEDULES;
	while ((option = getopt_long(argc, argv, "h", known, NULL)) != -1)
		take_option(option);
}

int main(int argc, char **argv)
{
	catch_signals();
	parse(argc, argv);
	if (!each_case(options.list ? list_case : explore_case)) {
		fprintf(stderr, "explore: there is no such case or group; --list names them\n");
		return 2;
	}
	if (options.list)
		return 0;
	print_coverage();
	printf("%llu schedules, %llu steps, %llu failures, %llu cases cut short\n", totals.schedules, totals.steps,
	       totals.failures, totals.cut);
	return totals.failures ? 1 : 0;
}
