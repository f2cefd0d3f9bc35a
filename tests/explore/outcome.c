/* SPDX-License-Identifier: MIT */
/* What is printed of failures, and which scheduling points were reached. */
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include "search.h"

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

void print_failure(const struct sim_case *which)
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
	if (number == SIGVTALRM && !sim_current)
		return;
	sim_fail("%s",
		 number == SIGVTALRM ? "the run does not end: no scheduling point is reached" : strsignal(number));
}

void catch_signals(void)
{
	static char stack[65536];
	stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)};
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK | SA_NODEFER};
	const int numbers[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGVTALRM};

	sigaltstack(&alternate, NULL);
	for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		sigaction(numbers[i], &action, NULL);
}

/* By the time that this process computes: the machine may have much else to do. */
void watch_for_hang(void)
{
	const struct itimerval limit = {.it_value = {.tv_sec = 20}};

	setitimer(ITIMER_VIRTUAL, &limit, NULL);
}

/* ---- coverage of scheduling points ---- */

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

size_t coverage_sites(void)
{
	return (size_t)(__stop_sim_sites - __start_sim_sites);
}

void coverage_add(unsigned *reached, unsigned *switched)
{
	for (size_t i = 0; i < coverage_sites(); i++) {
		__start_sim_sites[i].reached += reached[i] > 0;
		__start_sim_sites[i].switched += switched[i] > 0;
	}
}

/* Sorts the sites: nothing runs after it. */
void coverage_print(void)
{
	size_t count = coverage_sites();
	unsigned total = 0, reached = 0, switched = 0;

	qsort(__start_sim_sites, count, sizeof(struct sim_site), compare_sites);
	for (size_t i = 0; i < count; i++) {
		struct sim_site *site = &__start_sim_sites[i], *next = site + 1;

		if (i + 1 < count && !compare_sites(site, next) && !strcmp(site->operation, next->operation)) {
			next->reached += site->reached > 0; /* one place, compiled twice */
			next->switched += site->switched > 0;
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
