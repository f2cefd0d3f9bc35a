/* SPDX-License-Identifier: MIT */
/* Actors by script, see explore.h. */
#include "explore.h"

static struct async_domain *domain_of(char letter)
{
	return letter == 'a' ? domain_a : letter == 'b' ? domain_b : NULL;
}

static async_func_t inside_of(const char *word)
{
	static const struct {
		const char *word;
		async_func_t func;
	} all[] = {{"nothing", nothing},  {"gate", in_gate},       {"opens0", opens_0},
		   {"opens1", opens_1},   {"opens2", opens_2},     {"opens3", opens_3},
		   {"error", sets_error}, {"lower", awaits_lower}, {"domain_b", awaits_b}};

	for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (!strncmp(word, all[i].word, strlen(all[i].word)))
			return all[i].func;
	sim_fail("the script does what is unknown: %s", word);
}

/* "0a", "0a!" ordered, "0a.gate" */
static void play_start(const char *word)
{
	bool ordered = word[2] == '!';
	const char *rest = word + 2 + ordered;
	async_func_t inside = *rest == '.' ? inside_of(rest + 1) : NULL;

	if (ordered)
		start_ordered((unsigned)(word[0] - '0'), domain_of(word[1]), inside);
	else
		start((unsigned)(word[0] - '0'), domain_of(word[1]), inside);
}

/* The words with a job and a domain: "upto:2a" */
static void play_wait(const char *word, const char *what)
{
	unsigned n = (unsigned)(what[0] - '0');
	struct async_domain *domain = domain_of(what[1]);

	if (word[0] == 'u')
		sim_check(!wait_cookie(jobs[n].cookie, domain));
	else if (word[0] == 't')
		sim_check(!wait_cookie(jobs[n].cookie + 1, domain));
	else
		sim_check(!wait_call(n, jobs[n].cookie, domain));
}

static void play_word(const char *word)
{
	const char *what = word;

	if (*word >= '0' && *word <= '9') {
		play_start(word);
		return;
	}
	while (*what && *what != ':' && *what != ' ')
		what++;
	what += *what == ':';
	if (!strncmp(word, "full:", 5))
		sim_check(!wait_full(domain_of(*what)));
	else if (!strncmp(word, "upto:", 5) || !strncmp(word, "through:", 8) || !strncmp(word, "call:", 5))
		play_wait(word, what);
	else if (!strncmp(word, "open:", 5))
		gate_open(&gates[*what - '0']);
	else if (!strncmp(word, "pass:", 5))
		gate_wait(&gates[*what - '0']);
	else if (!strncmp(word, "free:", 5))
		free_domain(domain_of(*what));
	else if (!strncmp(word, "begun:", 6))
		sim_check(is_begun(&jobs[*what - '0']));
	else if (!strncmp(word, "complete:", 9))
		sim_check(is_complete(&jobs[*what - '0']));
	else if (!strncmp(word, "work", 4))
		work();
	else
		sim_fail("the script has an unknown word: %s", word);
}

void play(const char *script)
{
	while (*script) {
		play_word(script);
		while (*script && *script != ' ')
			script++;
		script += *script == ' ';
	}
}
