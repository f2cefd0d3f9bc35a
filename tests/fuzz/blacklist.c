/* SPDX-License-Identifier: MIT */
/*
 * The blacklist of initcalls, from a call and from the environment: each line of the input is one list, the first one
 * the environment's. Every name that stands in a list is refused, and no other one is.
 */
#include "fuzz.h"

/* The environment is the input's, and the list, which only grows, has to be emptied between inputs. */
static const char *environment;
#define secure_getenv(name) (strcmp(name, "INORDER_INITCALL_BLACKLIST") ? NULL : environment)
#include "../../startup/blacklist.c"
#undef secure_getenv

/* The header links the program itself into the list of objects. */
void initcalls_note(struct initcall_object *object)
{
	HOLD(object);
}

void initcalls_forget(struct initcall_object *object)
{
	HOLD(object);
}

static int locked;

void startup_lock(void)
{
	HOLD(!locked++);
}

void startup_unlock(void)
{
	HOLD(!--locked);
}

static bool parts(char c)
{
	return c == ',' || c == ' ';
}

/* Another reading of the same rule: does the name stand between two separators or ends? */
static bool stands_in(const char *text, const char *name)
{
	size_t wanted = strlen(name);

	for (const char *at = text; *name && (at = strstr(at, name)); at++)
		if ((at == text || parts(at[-1])) && (!at[wanted] || parts(at[wanted])))
			return true;
	return false;
}

static void check_name(char *const *texts, size_t count, const char *name)
{
	bool wanted = false;

	for (size_t i = 0; i < count; i++)
		wanted |= stands_in(texts[i], name);
	HOLD(startup_blacklisted(name) == wanted);
}

/* Every part of the text as a name, then without its last character, and with one more. */
static void check_names(char *const *texts, size_t count, const char *text)
{
	char *copy = fuzz_text((const uint8_t *)text, strlen(text) + 1), *rest = copy, *name;

	while ((name = strsep(&rest, ", "))) {
		char *longer = fuzz_memory(malloc(strlen(name) + 2));

		if (*name)
			HOLD(startup_blacklisted(name));
		sprintf(longer, "%s%c", name, name[0] ? name[0] : 'x');
		check_name(texts, count, longer);
		longer[strlen(name) ? strlen(name) - 1 : 0] = '\0';
		check_name(texts, count, longer);
		free(longer);
	}
	free(copy);
}

static void forget(void)
{
	while (lists) {
		struct list *list = lists;

		lists = list->next;
		free(list);
	}
	environment_is_read = false;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	char *texts[8];
	size_t used = 0, length;

	while (used < 8 && (used == 0 || count)) {
		char *text = fuzz_line(&bytes, &count, &length);

		text[strcspn(text, "\n")] = '\0';
		texts[used++] = text;
	}
	environment = texts[0];
	HOLD(startup_blacklist_environment() == 0);
	HOLD(startup_blacklist_environment() == 0); /* which is read once */
	for (size_t i = 1; i < used; i++)
		HOLD(initcall_blacklist(texts[i]) == 0);
	HOLD(!startup_blacklisted(""));
	for (size_t i = 0; i < used; i++)
		check_names(texts, used, texts[i]);
	forget();
	for (size_t i = 0; i < used; i++)
		free(texts[i]);
	return 0;
}
