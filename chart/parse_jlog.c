/* SPDX-License-Identifier: MIT */
/*
 * Kernel logs as JSON: journalctl -o json has an object a line, dmesg --json a member a line; of what keeps logs of
 * others, LAVA and Docker have one a line. journalctl's export and verbose forms have the same members as KEY=VALUE.
 * Each message is put into the form that it has without JSON, and read as that.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "klog.h"

#define MESSAGE_MOST 4096 /* the kernel's are shorter than 1024 bytes */

static const char *member(json_object *object, const char *key)
{
	json_object *item;

	return json_object_object_get_ex(object, key, &item) && !json_object_is_type(item, json_type_array)
		       ? json_object_get_string(item)
		       : NULL;
}

/* Not UTF-8, so the journal writes an array of bytes. */
static void array_text(json_object *array, char *text, size_t bytes)
{
	size_t count = json_object_array_length(array);
	size_t used = 0;

	for (size_t i = 0; i < count && used + 1 < bytes; i++) {
		int byte = json_object_get_int(json_object_array_get_idx(array, i));

		if (byte > 0 && byte < 256)
			text[used++] = (char)byte;
	}
	text[used] = 0;
}

static const char *read_message(struct input *input, const char *before, const char *caller, const char *message)
{
	char text[MESSAGE_MOST + 256];

	if (!klog_has_verb(message) && (!input->open_count || input->past_init || strlen(message) > MESSAGE_MOST))
		return NULL;
	if (strlen(message) > MESSAGE_MOST)
		return "a message longer than the kernel writes";
	snprintf(text, sizeof(text), "%.128s%s%.32s%s%.*s", before, caller ? "[" : "", caller ? caller : "",
		 caller ? "] " : "", (int)strcspn(message, "\r\n"), message);
	return parse_klog_line(input, text);
}

/* "460660" microseconds. Returns @text, which is empty if the member is not there. */
static const char *journal_time(json_object *object, char *text, size_t bytes)
{
	static const struct {
		const char *key;
		const char *format;
	} times[] = {
		{"_SOURCE_MONOTONIC_TIMESTAMP", "[%s.%s] "},     {"_SOURCE_BOOTTIME_TIMESTAMP", "[%s.%s] "},
		{"__MONOTONIC_TIMESTAMP", "[%s.%s] "},           {"_SOURCE_REALTIME_TIMESTAMP", "%s.%s host kernel: "},
		{"__REALTIME_TIMESTAMP", "%s.%s host kernel: "},
	};

	text[0] = 0;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		const char *usecs = member(object, times[i].key);
		char seconds[16];
		char rest[8];

		if (!usecs || strlen(usecs) > 16 || strspn(usecs, "0123456789") != strlen(usecs) || !*usecs)
			continue;
		snprintf(seconds, sizeof(seconds), "%llu", strtoull(usecs, NULL, 10) / 1000000);
		snprintf(rest, sizeof(rest), "%06u", (unsigned int)(strtoull(usecs, NULL, 10) % 1000000));
		snprintf(text, bytes, times[i].format, seconds, rest);
		break;
	}
	return text;
}

/* What dmesg --json has for a time: a number of seconds, or a text in one of dmesg's forms. */
static const char *dmesg_time(json_object *time, char *text, size_t bytes)
{
	if (json_object_is_type(time, json_type_string)) {
		const char *told = json_object_get_string(time);

		snprintf(text, bytes, isdigit((unsigned char)*told) || *told == '[' ? "%s " : "[%s] ", told);
	} else {
		snprintf(text, bytes, "[%.6f] ", json_object_get_double(time));
	}
	return text;
}

/* What dmesg and LAVA call "msg", and Docker "log"; "" if there is none. */
static const char *text_of(json_object *object)
{
	const char *text = member(object, "msg");

	text = text ? text : member(object, "log");
	return text ? text : "";
}

const char *parse_json_log(struct input *input, json_object *object)
{
	json_object *item;
	char array[MESSAGE_MOST];
	char before[160] = "";
	const char *transport = member(object, "_TRANSPORT");

	if (json_object_object_get_ex(object, "MESSAGE", &item)) {
		const char *message = json_object_get_string(item);

		if (transport && strcmp(transport, "kernel") != 0)
			return NULL;
		if (json_object_is_type(item, json_type_array))
			array_text(item, array, sizeof(array)), message = array;
		return message ? read_message(input, journal_time(object, before, sizeof(before)), NULL, message)
			       : NULL;
	}
	if (json_object_object_get_ex(object, "time", &item) || json_object_object_get_ex(object, "dt", &item))
		dmesg_time(item, before, sizeof(before));
	return read_message(input, before, member(object, "caller"), text_of(object));
}

bool is_json_log(json_object *object)
{
	return json_object_object_get_ex(object, "MESSAGE", NULL) ||
	       (*text_of(object) && !json_object_object_get_ex(object, "ev", NULL));
}

/* ---- a member a line ---- */

/* Where the value stands, if @line is that member; else NULL. */
static const char *find_value(const char *line, const char *key)
{
	size_t bytes = strlen(key);

	if (line[0] != '"' || strncmp(line + 1, key, bytes) != 0 || line[bytes + 1] != '"')
		return NULL;
	line += bytes + 2;
	line += strspn(line, " ");
	return *line == ':' ? line + 1 : NULL;
}

/* The value of a member that has a line of its own: "KEY": VALUE, */
static json_object *value_of(const char *text)
{
	struct json_tokener *tokener = json_tokener_new_ex(2);
	json_object *value = NULL;

	if (tokener)
		value = json_tokener_parse_ex(tokener, text, -1);
	if (tokener && !value && json_tokener_get_error(tokener) == json_tokener_continue) /* a number at the end */
		value = json_tokener_parse_ex(tokener, "", 1);
	if (tokener)
		json_tokener_free(tokener);
	return value;
}

static const char *read_member(struct input *input, const char *key, json_object *value)
{
	char time[160];
	const char *before = input->json_time ? input->json_time : "";
	const char *caller = input->json_caller;

	if (strcmp(key, "time") == 0) {
		input->json_time = keep(dmesg_time(value, time, sizeof(time)));
		input->json_caller = NULL;
		return NULL;
	}
	if (strcmp(key, "caller") == 0) {
		input->json_caller = keep(json_object_get_string(value));
		return NULL;
	}
	input->json_time = input->json_caller = NULL;
	return read_message(input, before, caller, json_object_get_string(value));
}

static const char *const journal_keys[] = {"MESSAGE",
					   "_TRANSPORT",
					   "_SOURCE_MONOTONIC_TIMESTAMP",
					   "_SOURCE_BOOTTIME_TIMESTAMP",
					   "__MONOTONIC_TIMESTAMP",
					   "_SOURCE_REALTIME_TIMESTAMP",
					   "__REALTIME_TIMESTAMP"};

#define JOURNAL_KEYS (sizeof(journal_keys) / sizeof(journal_keys[0]))

static void keep_member(struct input *input, const char *key, json_object *value)
{
	if (!input->journal)
		input->journal = json_object_new_object();
	json_object_object_add(input->journal, key, value);
}

const char *parse_json_end(struct input *input)
{
	const char *wrong = NULL;

	if (input->journal && is_json_log(input->journal))
		wrong = parse_json_log(input, input->journal);
	parse_json_forget(input);
	return wrong;
}

/* journalctl -o json-pretty has its members in any order: they are kept until the object ends. */
static bool read_journal(struct input *input, const char *line, const char **wrong)
{
	if (*line == '}' && input->journal) {
		*wrong = parse_json_end(input);
		return true;
	}
	for (size_t i = 0; i < JOURNAL_KEYS; i++) {
		const char *text = find_value(line, journal_keys[i]);
		json_object *value = text ? value_of(text) : NULL;

		if (!text)
			continue;
		if (value)
			keep_member(input, journal_keys[i], value);
		else
			*wrong = "a member of a JSON log without a value";
		return true;
	}
	return false;
}

/*
 * KEY=VALUE of journalctl -o export, in which each entry begins with its cursor, and of -o verbose, in which it begins
 * with a line that has the cursor at its end.
 */
static bool read_export(struct input *input, const char *line, const char **wrong)
{
	if (strncmp(line, "__CURSOR=", 9) == 0 || (strstr(line, " [s=") && strstr(line, ";i="))) {
		*wrong = parse_json_end(input);
		return true;
	}
	for (size_t i = 0; i < JOURNAL_KEYS; i++) {
		size_t bytes = strlen(journal_keys[i]);

		if (strncmp(line, journal_keys[i], bytes) != 0 || line[bytes] != '=')
			continue;
		keep_member(input, journal_keys[i], json_object_new_string(line + bytes + 1));
		return true;
	}
	return false;
}

void parse_json_forget(struct input *input)
{
	json_object_put(input->journal);
	input->journal = NULL;
}

/* dmesg writes a time in another form than seconds without quotes. */
static json_object *bare_value(const char *text)
{
	text += strspn(text, " \t");
	return json_object_new_string_len(text, (int)(strrchr(text, ',') - text));
}

bool parse_json_member(struct input *input, const char *line, const char **wrong)
{
	static const char *const keys[] = {"time", "caller", "msg"};

	*wrong = NULL;
	line += strspn(line, " \t");
	if (read_journal(input, line, wrong) || read_export(input, line, wrong))
		return true;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const char *text = find_value(line, keys[i]);
		json_object *value;

		if (!text)
			continue;
		value = value_of(text);
		if (i == 0 && strrchr(text, ',') && !json_object_is_type(value, json_type_double) &&
		    !json_object_is_type(value, json_type_string)) {
			json_object_put(value);
			value = bare_value(text);
		}
		if (!value)
			*wrong = "a member of a JSON log without a value";
		else
			*wrong = read_member(input, keys[i], value);
		json_object_put(value);
		return true;
	}
	return false;
}
