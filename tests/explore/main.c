/* SPDX-License-Identifier: MIT */
/* explore: runs cases under every schedule within a bound, under random ones, or under a recorded one. */
#include <getopt.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "search.h"

struct options options;

static const struct {
	const char *name;
	const struct sim_case *cases;
} groups[] = {
#define ENTRY(group) {#group, cases_##group},
	EXPLORE_GROUPS(ENTRY)
#undef ENTRY
};

unsigned each_case(void (*what)(const struct sim_case *which))
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

static void count_case(const struct sim_case *which)
{
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

/* Planted bugs are in no group. */
static bool replay_planted(void)
{
	for (const struct sim_case *which = cases_broken; which->name; which++) {
		if (strcmp(options.only, which->name))
			continue;
		replay_case(which);
		return true;
	}
	return false;
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
	if (!each_case(replay_case) && !replay_planted()) {
		fprintf(stderr, "explore: there is no case %s; --list names them\n", line);
		return 2;
	}
	return totals.failures ? 1 : 0;
}

/* ---- several processes ---- */

/* Shared by them all. */
static struct shared {
	atomic_uint next; /* the case that is begun next */
	atomic_uint failures;
	struct totals totals[64];
	unsigned sites[]; /* each process': reached, switched */
} * shared;

static unsigned position;

/* Takes the case if no other process has. */
static void share_case(const struct sim_case *which)
{
	unsigned here = position++, next = here;

	if (options.stop && shared->failures)
		return;
	if (!atomic_compare_exchange_strong(&shared->next, &next, here + 1))
		return;
	explore_case(which);
	shared->failures += totals.failures > 0;
}

static void explore_share(unsigned number)
{
	size_t count = coverage_sites();
	unsigned *sites = shared->sites + 2 * number * count;

	each_case(share_case);
	shared->totals[number] = totals;
	for (size_t i = 0; i < count; i++) {
		sites[i] = __start_sim_sites[i].reached;
		sites[count + i] = __start_sim_sites[i].switched;
	}
	fflush(stdout);
	_exit(0);
}

static void add_up(unsigned number)
{
	const struct totals *from = &shared->totals[number];
	size_t count = coverage_sites();

	totals.schedules += from->schedules;
	totals.known += from->known;
	totals.steps += from->steps;
	totals.failures += from->failures;
	totals.cut += from->cut;
	coverage_add(shared->sites + 2 * number * count, shared->sites + (2 * number + 1) * count);
}

/* A process that dies has found something. */
static void explore_together(void)
{
	size_t bytes = sizeof(*shared) + 2 * options.jobs * coverage_sites() * sizeof(unsigned);

	shared = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED) {
		perror("explore: no memory to share");
		exit(2);
	}
	fflush(stdout);
	for (unsigned i = 0; i < options.jobs; i++) {
		pid_t child = fork();

		if (!child)
			explore_share(i);
		if (child < 0) {
			perror("explore: no process can be started");
			exit(2);
		}
	}
	for (unsigned i = 0; i < options.jobs; i++) {
		int status;

		if (wait(&status) < 0 || status) {
			printf("FAILED: a process of the explorer ended with status %d\n", status);
			totals.failures++;
		}
	}
	for (unsigned i = 0; i < options.jobs; i++)
		add_up(i);
}

static void usage(FILE *to)
{
	fprintf(to, "usage: explore [--long] [--bound N] [--random RUNS [--seed N]] [--group G] [--case NAME]\n"
		    "               [--most SCHEDULES] [--seconds N] [--stop] [--coverage] [--jobs N]\n"
		    "               [--plain | --verify] | --list | --planted | --replay CASE@SCHEDULE\n");
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
	case 'p':
		options.plain = true;
		break;
	case 'P':
		options.planted = true;
		break;
	case 'v':
		options.verify = true;
		break;
	case 'j':
		options.jobs = number(optarg);
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
					      {"plain", 0, 0, 'p'},    {"verify", 0, 0, 'v'}, {"jobs", 1, 0, 'j'},
					      {"planted", 0, 0, 'P'},  {"help", 0, 0, 'h'},   {0, 0, 0, 0}};
	int option;

	options.deep = getenv("INORDER_TEST_LONG") != NULL;
	options.seed = 1;
	while ((option = getopt_long(argc, argv, "h", known, NULL)) != -1)
		take_option(option);
	if (options.jobs > 64 || (options.plain && options.verify)) {
		usage(stderr);
		exit(2);
	}
}

int main(int argc, char **argv)
{
	catch_signals();
	parse(argc, argv);
	if (!each_case(count_case)) {
		fprintf(stderr, "explore: there is no such case or group; --list names them\n");
		return 2;
	}
	if (options.list) {
		each_case(list_case);
		return 0;
	}
	if (options.planted) {
		for (const struct sim_case *which = cases_broken; which->name; which++)
			find_planted(which);
		return totals.failures ? 1 : 0;
	}
	if (options.jobs > 1)
		explore_together();
	else
		each_case(explore_case);
	coverage_print();
	printf("%llu schedules, %llu steps, %llu failures, %llu cases cut short; %llu ended in known states\n",
	       totals.schedules, totals.steps, totals.failures, totals.cut, totals.known);
	return totals.failures ? 1 : 0;
}
