/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <fcntl.h>
#include <ftw.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

#include "trace_files.h"

/* The core, which the tests of the trace do without. */
void rob_start(void);
void rob_start(void)
{
}

static char folder[64];

const char *scratch(const char *name)
{
	static char paths[8][128];
	static unsigned int next;
	char *path = paths[next++ % 8];

	if (!folder[0]) {
		strcpy(folder, "/tmp/inorder-trace-XXXXXX");
		assert_non_null(mkdtemp(folder));
	}
	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	return remove(path);
}

void scratch_remove(void)
{
	if (folder[0])
		nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	folder[0] = 0;
}

char *file_text(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t room = 0;

	if (!file)
		fail_msg("cannot open %s", path);
	if (getdelim(&text, &room, 0, file) < 0) {
		free(text);
		text = strdup("");
	}
	fclose(file);
	return text;
}

size_t count_of(const char *text, const char *part)
{
	size_t count = 0;

	for (; (text = strstr(text, part)); text += strlen(part))
		count++;
	return count;
}

json_object *trace_lines(const char *path)
{
	json_object *lines = json_object_new_array();
	char *text = file_text(path);
	char *rest = text;
	char *line;

	assert_true(text[0] == 0 || text[strlen(text) - 1] == '\n');
	while ((line = strsep(&rest, "\n"))) {
		json_object *object = line[0] ? json_tokener_parse(line) : NULL;

		if (line[0] && !json_object_is_type(object, json_type_object))
			fail_msg("not an object: %s", line);
		if (object)
			json_object_array_add(lines, object);
	}
	free(text);
	return lines;
}

json_object *trace_find(json_object *lines, const char *event, size_t number)
{
	for (size_t i = 0; i < json_object_array_length(lines); i++) {
		json_object *line = json_object_array_get_idx(lines, i);

		if (strcmp(trace_text_of(line, "ev"), event) == 0 && number-- == 0)
			return line;
	}
	return NULL;
}

const char *trace_text_of(json_object *line, const char *key)
{
	json_object *item = NULL;

	return line && json_object_object_get_ex(line, key, &item) ? json_object_get_string(item) : "";
}

long long trace_number(json_object *line, const char *key)
{
	json_object *item = NULL;

	return line && json_object_object_get_ex(line, key, &item) ? json_object_get_int64(item) : -1;
}

int in_child(void (*body)(void))
{
	pid_t pid;
	int status;

	unlink(scratch("errors")); /* also makes the folder, here and not in the child */
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int fd = open(scratch("errors"), O_WRONLY | O_CREAT | O_TRUNC, 0600);

		dup2(fd, STDERR_FILENO);
		alarm(250);
		body();
		fflush(NULL);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

char *child_errors(void)
{
	return file_text(scratch("errors"));
}
