/* SPDX-License-Identifier: MIT */
/* The driver: rounds one after the other until time is up, a process each, and what they add up to. See torture.h. */
#include "torture.h"

#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

enum { FAILED = 99, USAGE = 2, GRACE_S = 20, FIGURES_FD = 3 };

struct round round_;

const struct scenario scenarios[] = {
	{"flood", flood_phase, 40}, {"safe", safe_phase, 40}, {"wild", wild_phase, 12},
	{"leave", leave_phase, 8},  {NULL, NULL, 0},
};

struct options {
	uint64_t seed;
	double seconds;
	unsigned long calls;
	long round, phase;
	const char *only;
	bool child;
};

static char program[PATH_MAX];

/* ---- choices ---- */

/* Steele, Lea, Flood: "Fast splittable pseudorandom number generators" (2014), the mixing function. */
static uint64_t mix(uint64_t z)
{
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

struct random random_stream(uint64_t seed, uint64_t number)
{
	return (struct random){mix(seed ^ mix(number + 0x9e3779b97f4a7c15u))};
}

uint64_t random_next(struct random *random)
{
	random->state += 0x9e3779b97f4a7c15u;
	return mix(random->state);
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- a round: what it is ---- */

static const struct scenario *choose_scenario(struct random *random, const char *only)
{
	unsigned int at = random_below(random, 100);
	const struct scenario *scenario = scenarios;

	while (at >= scenario->share)
		at -= scenario++->share;
	if (only)
		for (scenario = scenarios; scenario->name; scenario++)
			if (!strcmp(only, scenario->name))
				break;
	return scenario;
}

static const struct scenario *choose_round(const struct options *options, unsigned int number)
{
	static const unsigned int threads[] = {0, 1, 1, 2, 2, 3, 4, 8, 64, 256, 1024, 1024};
	static const unsigned int pending[] = {0, 0, 0, 0, 0, 1, 2, 16, 1000};
	struct random random = random_stream(options->seed, number);
	const struct scenario *scenario = choose_scenario(&random, options->only);

	round_.seed = options->seed;
	round_.number = number;
	round_.only_phase = options->phase;
	round_.limit_ms = 700;
	round_.threads = threads[random_below(&random, sizeof(threads) / sizeof(threads[0]))];
	round_.pending = pending[random_below(&random, sizeof(pending) / sizeof(pending[0]))];
	round_.fault_percent = random_percent(&random, 25) ? 1 + random_below(&random, 40) : 0;
	return scenario;
}

static void print_round(FILE *to, const struct scenario *scenario)
{
	fprintf(to, "seed %" PRIu64 " round %u phase %u: %s, %u threads, pending %u, %u %% of futex waits fail\n",
		round_.seed, round_.number, round_.phase, scenario->name, round_.threads, round_.pending,
		round_.fault_percent);
}

/* ---- a round: its process ---- */

static const struct scenario *running;

_Noreturn void torture_fail(const char *file, int line, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s:%d: ", file, line);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputs("\nin ", stderr);
	print_round(stderr, running);
	async_report(2);
	_exit(FAILED);
}

#if HARNESS_TSAN
__attribute__((visibility("default"))) const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
	return "report_signal_unsafe=0"; /* hangs() has nothing to lose */
}
#endif

static volatile sig_atomic_t seconds_left;

/* A machine that was stopped meanwhile is no hang: a tick that comes late counts once. */
void allow(int seconds)
{
	const struct itimerval every_second = {{1, 0}, {1, 0}};

	seconds_left = seconds;
	setitimer(ITIMER_REAL, &every_second, NULL);
}

static void hangs(int signal_number)
{
	(void)signal_number;
	if (--seconds_left > 0)
		return;
	signal(SIGALRM, SIG_DFL);
	alarm(5);
	TFAIL("nothing has gone on for %d s", STILL_S);
}

static int run_round(const struct scenario *scenario)
{
	uint64_t end_ms = now_ms() + round_.limit_ms;

	running = scenario;
	round_.figures = mmap(NULL, sizeof(*round_.figures), PROT_READ | PROT_WRITE, MAP_SHARED, FIGURES_FD, 0);
	if (round_.figures == MAP_FAILED) {
		perror("torture: the figures' memory (descriptor 3)");
		return FAILED;
	}
	signal(SIGALRM, hangs);
	for (round_.phase = 0; now_ms() < end_ms || round_.only_phase >= 0; round_.phase++) {
		if (round_.only_phase >= 0)
			round_.phase = (unsigned int)round_.only_phase;
		allow(STILL_S);
		round_.choices = random_stream(round_.seed ^ (uint64_t)round_.number << 32, round_.phase);
		scenario->phase();
		if (round_.only_phase >= 0)
			break;
	}
	wakes_collect(false);
	allow(STILL_S); /* the exit, too */
	return 0;
}

/* ---- the driver ---- */

static void stop(const char *what)
{
	fprintf(stderr, "torture: %s: %s\n", what, strerror(errno));
	exit(FAILED);
}

static void exec_round(const struct options *options, int figures, int errors)
{
	char seed[32], number[32], phase[32], threads[32], pending[32];

	setpgid(0, 0);
	snprintf(seed, sizeof(seed), "%" PRIu64, round_.seed);
	snprintf(number, sizeof(number), "%u", round_.number);
	snprintf(phase, sizeof(phase), "%ld", options->phase);
	snprintf(threads, sizeof(threads), "%u", round_.threads);
	snprintf(pending, sizeof(pending), "%u", round_.pending);
	setenv("INORDER_THREADS", threads, 1);
	unsetenv("INORDER_PENDING");
	unsetenv("INORDER_DEBUG");
	if (round_.pending)
		setenv("INORDER_PENDING", pending, 1);
	if (dup2(figures, FIGURES_FD) < 0 || fcntl(FIGURES_FD, F_SETFD, 0) < 0 || dup2(errors, 2) < 0)
		_exit(FAILED);
	execl(program, program, "--child", "--seed", seed, "--round", number, "--phase", phase,
	      options->only ? "--only" : (char *)NULL, options->only, (char *)NULL);
	_exit(FAILED);
}

/* The round's own alarm comes first, so that it can say where it hangs. */
static int finish(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd poller = {.fd = fd, .events = POLLIN};
	int status = 0;

	for (int second = 0; fd >= 0 && poll(&poller, 1, 1000) == 0; second++)
		if (second == STILL_S + GRACE_S)
			kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	kill(-pid, SIGKILL); /* what it left behind */
	if (fd >= 0)
		close(fd);
	return status;
}

static void show(int errors)
{
	char text[16384];
	off_t size = lseek(errors, 0, SEEK_END);
	off_t from = size > (off_t)sizeof(text) ? size - (off_t)sizeof(text) : 0;
	ssize_t n = pread(errors, text, sizeof(text), from);

	if (n > 0)
		fwrite(text, 1, (size_t)n, stderr);
}

static int output(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC);

	if (fd < 0 || fcntl(fd, F_SETFL, O_APPEND) < 0)
		stop("memfd_create");
	return fd;
}

/* Whether the round did what it had to, calls that it left in progress included. */
static bool passes(const struct scenario *scenario, int status, const struct figures *figures)
{
	unsigned long accepted = figures->accepted, completed = figures->completed;

	if (WIFSIGNALED(status)) {
		fprintf(stderr, "torture: killed by %s in ", strsignal(WTERMSIG(status)));
	} else if (WEXITSTATUS(status)) {
		fprintf(stderr, "torture: status %d in ", WEXITSTATUS(status));
	} else if (figures->drops ? completed > accepted : completed != accepted) {
		fprintf(stderr, "torture: %lu calls were to complete at exit, %lu did, in ", accepted, completed);
	} else {
		return true;
	}
	print_round(stderr, scenario);
	return false;
}

static bool one_round(const struct options *options, unsigned int number, struct figures *sum)
{
	const struct scenario *scenario = choose_round(options, number);
	int memory = memfd_create("figures", MFD_CLOEXEC);
	int errors = output("errors");
	struct figures *figures;
	bool passed;
	pid_t pid;

	if (memory < 0 || ftruncate(memory, sizeof(*figures)) < 0)
		stop("the figures' memory");
	figures = mmap(NULL, sizeof(*figures), PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	if (figures == MAP_FAILED)
		stop("the figures' memory");
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		stop("fork");
	if (!pid)
		exec_round(options, memory, errors);
	passed = passes(scenario, finish(pid), figures);
	if (!passed)
		show(errors);
#define X(name, text) sum->name += figures->name;
	FIGURES(X)
#undef X
	munmap(figures, sizeof(*figures));
	close(memory);
	close(errors);
	return passed;
}

static void print_figures(const struct figures *sum, unsigned int rounds, uint64_t ms)
{
	printf("%u rounds, %.1f s\n", rounds, (double)ms / 1000);
#define X(name, text) printf("%14lu %s\n", sum->name, text);
	FIGURES(X)
#undef X
}

static int drive(const struct options *options)
{
	static struct figures sum;
	uint64_t begin_ms = now_ms();
	unsigned int first = options->round < 0 ? 0 : (unsigned int)options->round;
	unsigned int rounds = 0, failed = 0;

	printf("torture: seed %" PRIu64 "\n", options->seed);
	do {
		failed += !one_round(options, first + rounds++, &sum);
		if (!(rounds % 100))
			printf("%u rounds, %lu calls, %.0f s\n", rounds, sum.calls,
			       (double)(now_ms() - begin_ms) / 1000);
	} while (options->round < 0 && failed < 3 && (double)(now_ms() - begin_ms) < options->seconds * 1000 &&
		 (!options->calls || sum.calls < options->calls));
	print_figures(&sum, rounds, now_ms() - begin_ms);
	printf("%u passed, %u failed\n", rounds - failed, failed);
	return failed ? 1 : 0;
}

static const char usage[] =
	"usage: torture [--seconds S] [--calls N] [--seed N] [--only SCENARIO] [--round N [--phase N]]\n"
	"Rounds of random programs until S seconds (10) have passed or N calls were made; both: whichever comes first.\n"
	"A failure names its seed, round and phase: give these to repeat it. Scenarios: flood, safe, wild, leave.\n";

static bool parse(int argc, char **argv, struct options *options)
{
	static const struct option longs[] = {
		{"seed", required_argument, NULL, 's'},  {"seconds", required_argument, NULL, 't'},
		{"calls", required_argument, NULL, 'c'}, {"round", required_argument, NULL, 'r'},
		{"phase", required_argument, NULL, 'p'}, {"only", required_argument, NULL, 'o'},
		{"child", no_argument, NULL, 'C'},       {NULL, 0, NULL, 0},
	};
	bool timed = false;

	for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
		switch (c) {
		case 's':
			options->seed = strtoull(optarg, NULL, 0);
			break;
		case 't':
			options->seconds = strtod(optarg, NULL);
			timed = true;
			break;
		case 'c':
			options->calls = strtoul(optarg, NULL, 0);
			break;
		case 'r':
			options->round = strtol(optarg, NULL, 0);
			break;
		case 'p':
			options->phase = strtol(optarg, NULL, 0);
			break;
		case 'o':
			options->only = optarg;
			break;
		case 'C':
			options->child = true;
			break;
		default:
			return false;
		}
	}
	if (options->calls && !timed)
		options->seconds = 1e9;
	return optind == argc && choose_round(options, 0)->name;
}

int main(int argc, char **argv)
{
	struct options options = {.seconds = 10, .round = -1, .phase = -1};

	if (getrandom(&options.seed, sizeof(options.seed), 0) != sizeof(options.seed) ||
	    !realpath("/proc/self/exe", program))
		stop("the seed, or /proc/self/exe");
	options.seed >>= 16; /* shorter to type */
	if (!parse(argc, argv, &options)) {
		fputs(usage, stderr);
		return USAGE;
	}
	if (options.child)
		return run_round(choose_round(&options, (unsigned int)options.round));
	return drive(&options);
}
