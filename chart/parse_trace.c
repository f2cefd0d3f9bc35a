/* SPDX-License-Identifier: MIT */
/* Lines of the full trace; docs/TRACE-FORMAT.md describes them. */
#define _GNU_SOURCE
#include <json-c/json.h>
#include <limits.h>
#include <string.h>

#include "klog.h"

#define VERSION 2
#define PROCESSORS_MOST 65536
#define T_MOST (UINT64_C(1) << 62) /* so that no sum of times overflows */

#define WORD(name, word) word,
static const char *const words[] = {ASYNC_TRACE_EVENTS(WORD) "start", "lost"};

static int type_of(const char *word)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i], word) == 0)
			return (int)i;
	return RECORD_OTHER;
}

/* False if the key is there and is not a number that fits. */
static bool number(json_object *line, const char *key, uint64_t *value)
{
	json_object *item;

	if (!json_object_object_get_ex(line, key, &item))
		return true;
	if (!json_object_is_type(item, json_type_int) || json_object_get_int64(item) < 0)
		return false;
	*value = json_object_get_uint64(item);
	return true;
}

static bool flag(json_object *line, const char *key)
{
	json_object *item;

	return json_object_object_get_ex(line, key, &item) && json_object_get_boolean(item);
}

static const char *text(json_object *line, const char *key)
{
	json_object *item;

	if (!json_object_object_get_ex(line, key, &item) || !json_object_is_type(item, json_type_string))
		return NULL;
	return keep(json_object_get_string(item));
}

static bool read_arg(json_object *line, struct record *record)
{
	switch (record->type) {
	case ASYNC_TRACE_SCHEDULED:
	case ASYNC_TRACE_INLINE:
		record->flag = flag(line, "exclusive");
		return number(line, "by", &record->arg);
	case ASYNC_TRACE_WAITING:
	case ASYNC_TRACE_CONTINUED:
		record->flag = flag(line, "one");
		return number(line, "for", &record->arg);
	case ASYNC_TRACE_WORKER:
		return number(line, "workers", &record->arg);
	case RECORD_LOST:
		return number(line, "lines", &record->arg);
	case ASYNC_TRACE_STARTED:
		record->arg = flag(line, "helped");
		return true;
	case ASYNC_TRACE_COMPLETED:
		record->arg = flag(line, "cancelled");
		return true;
	default:
		return true;
	}
}

static const char *read_start(json_object *line, struct record *record)
{
	uint64_t version = 0;

	record->name = text(line, "program");
	record->domain = text(line, "boot");
	if (!number(line, "inorder", &version) || version == 0)
		return "a start line without the version of the format (\"inorder\")";
	record->version = (unsigned int)version;
	if (version > VERSION)
		return "a trace of a version above 2, which this program does not read";
	if (!number(line, "processors", &record->arg) || record->arg > PROCESSORS_MOST)
		return "processors is no number of them";
	if (!number(line, "started_ns", &record->started_ns) || record->started_ns > record->t_ns)
		return "started_ns is not a time before the line's";
	return number(line, "realtime_ns", &record->realtime_ns) ? NULL : "realtime_ns is not a number";
}

static const char *read_object(json_object *line, struct record *record)
{
	uint64_t pid = 0;
	uint64_t tid = 0;
	json_object *error;
	const char *word = text(line, "ev");

	if (!word)
		return "no \"ev\", which names the event";
	record->type = type_of(word);
	if (!number(line, "t_ns", &record->t_ns) || record->t_ns == 0 || record->t_ns > T_MOST)
		return "no time (\"t_ns\") above 0 and below 2^62";
	if (!number(line, "pid", &pid) || !number(line, "tid", &tid) || pid == 0 || tid == 0 || pid > INT_MAX ||
	    tid > INT_MAX)
		return "no process and thread (\"pid\", \"tid\") above 0";
	record->pid = (long)pid;
	record->tid = (long)tid;
	if (!number(line, "cookie", &record->cookie) || !number(line, "since_ns", &record->since_ns) ||
	    !read_arg(line, record))
		return "a number is expected where there is none";
	if (record->since_ns > record->t_ns)
		return "since_ns is later than t_ns";
	if (json_object_object_get_ex(line, "error", &error))
		record->error = json_object_get_int(error);
	record->domain = text(line, "domain");
	record->domain_name = text(line, "domain_name");
	record->func = text(line, "func");
	record->name = text(line, "name");
	return record->type == RECORD_START ? read_start(line, record) : NULL;
}

/* True if the lines of @record's process are not read: its start line was of a later version. */
static bool is_refused(struct input *input, const struct record *record)
{
	size_t i = 0;

	while (i < input->refused_count && input->refused[i] != record->pid)
		i++;
	if (record->type != RECORD_START)
		return i < input->refused_count;
	if (i < input->refused_count)
		input->refused[i] = input->refused[--input->refused_count];
	if (record->version > VERSION)
		*APPEND(input->refused, input->refused_count) = record->pid;
	return false;
}

const char *parse_trace_line(struct input *input, const char *line, size_t bytes)
{
	struct record record = {.tid = -1};
	struct json_tokener *tokener = json_tokener_new_ex(4);
	json_object *object;
	const char *wrong;

	if (!tokener || bytes > INT_MAX)
		return "a line too long, or no memory for it";
	object = json_tokener_parse_ex(tokener, line, (int)bytes);
	if (!object || json_tokener_get_parse_end(tokener) != bytes)
		wrong = "not a JSON object";
	else if (is_json_log(object))
		wrong = parse_json_log(input, object), record.type = RECORD_OTHER;
	else
		wrong = read_object(object, &record);
	json_object_put(object);
	json_tokener_free(tokener);
	if (is_refused(input, &record))
		return NULL;
	if (wrong)
		return wrong;
	if (record.type == RECORD_LOST)
		input->lost += record.arg;
	else if (record.type != RECORD_OTHER)
		*APPEND(input->records, input->count) = record;
	return NULL;
}
