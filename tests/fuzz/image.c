/* SPDX-License-Identifier: MIT */
/*
 * What inorder-image is told: a list of modules (--modules), up to a line "%%", then a spec SOURCE[:PLACE] a line
 * (--file). No word of the list is lost or made up; the image's paths are sorted, absolute, each there once and in a
 * folder; what is refused says why, and nothing else does.
 */
#include <stdbool.h>
#include <sys/stat.h>

#include "fuzz.h"
#include "internal.h"

static unsigned int messages;

/* The linker puts these in the place of fail() and of stat(), whose name is stat64() with 64-bit offsets. */
int __wrap_fail(const char *format, ...);                 // NOLINT: the linker's name
int __wrap_stat64(const char *path, struct stat *status); // NOLINT: as above
int __wrap_fail(const char *format, ...)
{
	HOLD(*format);
	messages++;
	return -1;
}

/* Every source is a regular file, and the same one. */
int __wrap_stat64(const char *path, struct stat *status)
{
	HOLD(!strchr(path, ':'));
	*status = (struct stat){.st_mode = S_IFREG | 0755, .st_dev = 1, .st_ino = 1};
	return 0;
}

static void check_want(const char *word)
{
	struct want want;

	want_parse(word, &want);
	HOLD(!strncmp(want.name, word, strlen(want.name)));
	HOLD(!strcmp(word + strlen(want.name), want.optional ? "?" : ""));
	HOLD(want.folder == (want.name[0] && want.name[strlen(want.name) - 1] == '/'));
	free(want.name);
}

/* Another reading of the same rule: the words that were added are those of the line, in its order. */
static void check_words(const struct strings *wanted, size_t from, const char *line)
{
	const char *end = line + strcspn(line, "#\n");

	for (;;) {
		size_t length;

		line += strspn(line, " \t\r");
		length = strcspn(line, " \t\r#\n");
		if (line >= end)
			break;
		HOLD(from < wanted->count && strlen(wanted->items[from]) == length);
		HOLD(!memcmp(wanted->items[from], line, length));
		check_want(wanted->items[from++]);
		line += length;
	}
	HOLD(from == wanted->count);
}

/* Returns whether the list goes on. */
static bool check_line(struct modules *modules, char *line, size_t bytes)
{
	size_t before = modules->wanted.count;
	char *copy = fuzz_text((const uint8_t *)line, bytes);
	int refused = modules_read_line(modules, line, bytes);

	HOLD(refused == (strlen(copy) < bytes ? -1 : 0));
	if (refused)
		HOLD(modules->wanted.count == before);
	else
		check_words(&modules->wanted, before, copy);
	free(copy);
	return !refused;
}

static void check_spec(struct tree *tree, const char *spec)
{
	unsigned int before = messages;
	char *source, *place, *clean;
	int result;

	spec_parse(spec, &source, &place);
	HOLD(!strchr(source, ':') && !strncmp(spec, source, strlen(source)));
	HOLD(place ? !strcmp(spec + strlen(source) + 1, place) : !strcmp(spec, source));
	result = tree_add_file(tree, place ? place : source, source);
	HOLD(messages == before + (result ? 1 : 0));
	clean = place_parse(place ? place : source);
	HOLD(clean || result);
	HOLD(!clean || tree_has(tree, clean));
	free(clean);
	free(source);
	free(place);
}

struct seen {
	const struct tree *tree;
	const char *last;
};

/* No "//", "/./", "/../", and no slash at the end. */
static void check_path(const char *path)
{
	HOLD(*path == '/');
	for (; *path; path += 1 + strcspn(path + 1, "/")) {
		size_t length = strcspn(path + 1, "/");

		HOLD(length > 0);
		HOLD(!(length == 1 && path[1] == '.'));
		HOLD(!(length == 2 && path[1] == '.' && path[2] == '.'));
	}
}

static int check_entry(const struct image_entry *entry, void *data)
{
	struct seen *seen = data;
	char *folder = fuzz_memory(strdup(entry->path));

	check_path(entry->path);
	HOLD(!seen->last || strcmp(seen->last, entry->path) < 0);
	HOLD(S_ISREG(entry->mode) ? entry->source != NULL : S_ISDIR(entry->mode) && !entry->source);
	*strrchr(folder, '/') = '\0';
	HOLD(!*folder || tree_has(seen->tree, folder));
	free(folder);
	seen->last = entry->path;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct modules modules = {0};
	struct tree tree = {.root = NULL};
	struct seen seen = {.tree = &tree};
	bool list = true;
	size_t length;

	messages = 0;
	while (count) {
		char *line = fuzz_line(&bytes, &count, &length);

		if (!strcmp(line, "%%\n")) {
			list = false;
		} else if (list) {
			list = check_line(&modules, line, length);
		} else {
			line[strcspn(line, "\n")] = '\0';
			check_spec(&tree, line);
		}
		free(line);
	}
	tree_visit(&tree, check_entry, &seen);
	strings_free(&modules.wanted);
	tree_free(&tree);
	return 0;
}
