/* SPDX-License-Identifier: MIT */
/* A scratch folder and what the tests of the trace do with files in it. */
#ifndef UNIT_TRACE_FILES_H
#define UNIT_TRACE_FILES_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

/* "NAME" in a new folder that lasts as long as the test program. */
const char *scratch(const char *name);
void scratch_remove(void);

/* The whole file, NUL-terminated; the caller frees it. Fails the test if it cannot be read. */
char *file_text(const char *path);
size_t count_of(const char *text, const char *part);

/* Every line of a trace as an object; fails the test unless each is one, and whole. The caller puts the array. */
json_object *trace_lines(const char *path);
/* The i-th line that has "ev":@event, or NULL. */
json_object *trace_find(json_object *lines, const char *event, size_t number);
const char *trace_text_of(json_object *line, const char *key);
long long trace_number(json_object *line, const char *key);

/* Runs @body in a child process with standard error in the file "errors"; returns its wait status. */
int in_child(void (*body)(void));
char *child_errors(void);
#endif
