/* SPDX-License-Identifier: MIT */
/* Images that are there: what reads them and what looks at them. */
#ifndef IMAGE_LOOK_H
#define IMAGE_LOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* One path of an image. */
struct member {
	char *path;          /* without a slash at its start; "." is the root */
	char *target;        /* of a symbolic link, or NULL */
	char *first;         /* of a hard link: the path that was there first, or NULL */
	unsigned char *data; /* one of the image's contents; those of hard links are one */
	size_t size;
	mode_t mode;
	uid_t uid;
	gid_t gid;
	dev_t rdev;
	int64_t mtime;
	size_t order;
};

struct loaded {
	struct member *members; /* in the order of the image */
	size_t count;
	unsigned char **contents;
	size_t contents_count;
	size_t archives;
};

/* Reads @bytes bytes of an image into @loaded. Returns -1 with a message that names @name. */
int load_bytes(struct loaded *loaded, const char *name, const unsigned char *bytes, size_t count);
/* The same with a file, or standard input ("-"). */
int load_file(struct loaded *loaded, const char *name);
/* Sorts by path and leaves of each path the last one, which is what the kernel ends with. */
void load_settle(struct loaded *loaded);
/* After load_settle(): the path without a slash at its start, or NULL. */
const struct member *load_find(const struct loaded *loaded, const char *path);
/* The same through all links, as the kernel goes; the path may have a slash at its start. */
const struct member *load_follow(const struct loaded *loaded, const char *path);
void load_free(struct loaded *loaded);

/* What a path is, as ls prints it: drwxr-xr-x. */
void mode_text(mode_t mode, char text[11]);

/* A path from an image may hold anything: what is no text does not reach a terminal. */
void path_print(const char *path);
struct json_object;
/* Adds @path, which json-c would print as it is. */
void path_json(struct json_object *object, const char *key, const char *path);
/* Takes --json out of the arguments and checks that @count are left; else returns 2, with a message. */
int look_arguments(int *argc, char **argv, bool *json, int count);

/* Each returns the exit code; argv[0] is the command. */
int command_ls(int argc, char **argv);
int command_cat(int argc, char **argv);
int command_unpack(int argc, char **argv);
int command_diff(int argc, char **argv);
int command_check(int argc, char **argv);

#endif
