/* SPDX-License-Identifier: MIT */
/* Hints for /init: what the root needed in the last good boot; before there was one, its file system. */
#define _GNU_SOURCE
#include "host.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORD "/var/lib/inorder/hints"
#define PLACE "/etc/inorder/hints"

enum { LONGEST = 16384 }; /* what inorder-init reads */

static bool is_asked_for(const struct request *request)
{
	for (size_t i = 0; i < request->files.count; i++) {
		const char *place = strchr(request->files.items[i], ':');

		if (!strcmp(place ? place + 1 : request->files.items[i], PLACE))
			return true;
	}
	return false;
}

/* Whether a boot has left hints that inorder-init would read. */
static bool is_usable(const char *path)
{
	struct stat status;

	if (stat(path, &status))
		return false;
	if (S_ISREG(status.st_mode) && status.st_size < LONGEST)
		return true;
	warn("'%s' is no file of less than %d bytes, so these are no hints: they are not in the image", path, LONGEST);
	return false;
}

static int make(const struct needs *needs, struct request *request, const struct stage *stage)
{
	char *made = text("%s/hints", stage->path), *spec = text("%s:" PLACE, made);
	FILE *file = fopen(made, "we");
	int result = 0;

	if (file)
		fprintf(file, "filesystem %s\n", needs->types.items[0]);
	if (!file || fclose(file))
		result = fail("cannot write '%s': %s", made, strerror(errno));
	else
		strings_add(&request->files, spec);
	free(spec);
	free(made);
	return result;
}

int hints_ask(const struct needs *needs, struct request *request, const struct stage *stage)
{
	char *record = text("%s" RECORD, needs->sysroot), *spec;
	int result = 0;

	if (is_asked_for(request)) {
		free(record);
		return 0;
	}
	if (is_usable(record)) {
		spec = text("%s:" PLACE, record);
		strings_add(&request->files, spec);
		free(spec);
	} else if (needs->types.count) {
		result = make(needs, request, stage);
	}
	free(record);
	return result;
}
