/* SPDX-License-Identifier: MIT */
/* inorder-image: what its files share. Functions that return int print their own error and return -1. */
#ifndef IMAGE_INTERNAL_H
#define IMAGE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* One path of the image. */
struct image_entry {
	char *path;   /* absolute, in the image */
	char *source; /* a file of this machine, or NULL: a folder or a device */
	mode_t mode;  /* type and permissions */
	dev_t rdev;
};

/* The image's content, kept sorted by path (a folder stands before what is in it). */
struct tree {
	void *root;
};

void tree_free(struct tree *tree);
int tree_add_dir(struct tree *tree, const char *path);
int tree_add_node(struct tree *tree, const char *path, mode_t mode, dev_t rdev);
/* Adds @source at @path and the folders above it; the same file twice is fine, two files in one place are not. */
int tree_add_file(struct tree *tree, const char *path, const char *source);
bool tree_has(const struct tree *tree, const char *path);
/* Calls @visit for each entry in order until one returns non-zero, which is returned. */
int tree_visit(const struct tree *tree, int (*visit)(const struct image_entry *entry, void *data), void *data);

/* A growing list of strings, all owned by it. */
struct strings {
	char **items;
	size_t count;
};

void strings_add(struct strings *list, const char *text);
void strings_free(struct strings *list);

/* A temporary folder of which nothing is left when this program ends, but see stage.c. */
struct stage {
	char *path; /* NULL: not open */
	int fd;
	bool named; /* it stands in TMPDIR */
};

int stage_open(struct stage *stage);
void stage_close(struct stage *stage);

/*
 * Modules that are asked for: a name (ahci), a modalias (pci:v00008086d00002922...), or a folder of the
 * kernel's tree that ends in a slash (drivers/ata/); with '?' at its end it may be missing.
 */
struct modules {
	struct strings wanted;
	const char *dir;    /* .../lib/modules/VERSION */
	struct stage stage; /* holds the image's own indexes */
};

int modules_read_list(struct modules *modules, const char *path);
/* Takes the words of one line. Returns -1, silently, if it is no text. */
int modules_read_line(struct modules *modules, char *line, size_t bytes);
/* Adds the modules, what they depend on, and their indexes. Call modules_release() when the image is written. */
int modules_add(struct modules *modules, struct tree *tree);
void modules_release(struct modules *modules);

/* A word that asks for modules. */
struct want {
	char *name; /* without the '?'; the caller frees it */
	bool folder, optional;
};

void want_parse(const char *word, struct want *want);
/* Splits SOURCE[:PLACE]; *@place is NULL if none is given. The caller frees both. */
void spec_parse(const char *spec, char **source, char **place);
/* An absolute path without "//", "/./" and a slash at its end; the caller frees it. NULL: it is no place in the image. */
char *place_parse(const char *path);

/* @spec: NAME or PATH, with :PATH_IN_IMAGE if it is to stand elsewhere there. Libraries come along. */
int program_add(struct tree *tree, const char *spec);
/* A plain file, SOURCE[:PATH_IN_IMAGE]. */
int file_add(struct tree *tree, const char *spec);

/* Runs @argv and waits; its output goes to @output (caller frees) if that is not NULL. */
int command_run(char *const argv[], char **output);

struct output {
	const char *name; /* as given */
	char *target;     /* the file that is replaced, behind links; NULL: written in place */
	char *temporary;  /* the name of the new file until it is renamed; NULL: it has none yet */
	int fd;
};

int output_open(struct output *output, const char *name);
/* @complete: put the image in its place; else leave the old one. Call it also after output_open() has failed. */
int output_close(struct output *output, bool complete);

/* Writes the tree to @path. @compression: none, gzip, zstd, lz4, xz. */
int archive_make(const struct tree *tree, const char *path, const char *compression);
bool archive_knows(const char *compression);

/* SIGINT, SIGTERM and SIGHUP make interrupted() true: clean up and go. */
void catch_signals(void);
bool interrupted(void);

__attribute__((format(printf, 1, 2))) int fail(const char *format, ...);
void *must(void *memory);
__attribute__((format(printf, 1, 2))) char *text(const char *format, ...);

#endif
