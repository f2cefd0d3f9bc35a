/* SPDX-License-Identifier: MIT */
/*
 * A passphrase is typed as on the system that runs: with its keymap, in its font. console-setup keeps both ready for
 * the console, compressed; the programs that load them do not unpack, so they are unpacked here.
 */
#define _GNU_SOURCE
#include "host.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct part {
	const char *what, *made, *program;
} keymap = {"keymap", "/etc/console-setup/cached_*.kmap.gz", "loadkeys"},
  font = {"font", "/etc/console-setup/cached_*.psf.gz", "setfont"};

static char *find(const struct needs *needs, const char *pattern)
{
	char *full = text("%s%s", needs->sysroot, pattern), *found = NULL;
	glob_t paths;

	if (glob(full, 0, NULL, &paths) == 0) {
		found = must(strdup(paths.gl_pathv[0]));
		globfree(&paths);
	}
	free(full);
	return found;
}

static bool is_here(const char *program)
{
	char *paths[] = {text("/bin/%s", program), text("/usr/bin/%s", program)};
	bool found = access(paths[0], X_OK) == 0 || access(paths[1], X_OK) == 0;

	free(paths[0]);
	free(paths[1]);
	return found;
}

static int add(const struct part *part, const char *path, struct request *request, const struct stage *stage)
{
	char *made, *spec;

	if (!is_here(part->program)) {
		warn("the %s is not in the image, because there is no program '%s': install kbd", part->what,
		     part->program);
		return 0;
	}
	made = file_expand(stage, path, part->what);
	if (!made)
		return -1;
	spec = text("%s:/etc/inorder/%s", made, part->what);
	strings_add(&request->files, spec);
	free(spec);
	free(made);
	spec = text("%s:/bin/%s", part->program, part->program);
	strings_add(&request->programs, spec);
	free(spec);
	return 0;
}

int keyboard_ask(const struct needs *needs, struct request *request, const struct stage *stage)
{
	char *map, *letters;
	int result = 0;

	if (!needs->crypts.count)
		return 0;
	map = find(needs, keymap.made);
	letters = find(needs, font.made);
	if (map)
		result = add(&keymap, map, request, stage);
	else
		warn("no keymap in '%s/etc/console-setup': a passphrase is typed on an American keyboard; "
		     "'setupcon --save-only' of the package console-setup makes one",
		     needs->sysroot);
	if (!result && letters)
		result = add(&font, letters, request, stage);
	free(map);
	free(letters);
	return result;
}
