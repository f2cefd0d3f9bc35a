/* SPDX-License-Identifier: MIT */
/* inorder-image: what its files share. Functions that return int print their own error and return -1. */
#ifndef IMAGE_INTERNAL_H
#define IMAGE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>

#ifndef INORDER_INIT
#define INORDER_INIT "/usr/local/libexec/inorder/inorder-init"
#endif

/* One path of the image. */
struct image_entry {
	char *path;   /* absolute, in the image */
	char *source; /* a regular file: the one of this machine that it is a copy of */
	char *target; /* a symbolic link: where it leads */
	mode_t mode;  /* type and permissions */
	dev_t rdev;
};

/* A growing list of strings, all owned by it. */
struct strings {
	char **items;
	size_t count;
};

void strings_add(struct strings *list, const char *text);
void strings_free(struct strings *list);

/* What stays out, whoever wants it: paths in the image, with all that is below them, and names of modules. */
struct omits {
	struct strings patterns;
	bool *used; /* one a pattern: it has left something out */
};

/* The image's content, kept sorted by path (a folder stands before what is in it). */
struct tree {
	void *root;
	const struct omits *omits; /* or NULL */
};

void tree_free(struct tree *tree);
int tree_add_dir(struct tree *tree, const char *path);
int tree_add_node(struct tree *tree, const char *path, mode_t mode, dev_t rdev);
/* Adds @source at @path and the folders above it; the same file twice is fine, two files in one place are not. */
int tree_add_file(struct tree *tree, const char *path, const char *source);
/* The same with all permissions of @source, where tree_add_file() asks only whether it can be executed. */
int tree_add_exact(struct tree *tree, const char *path, const char *source);
int tree_add_link(struct tree *tree, const char *path, const char *target);
bool tree_omits(const struct tree *tree, const char *path);
bool tree_has(const struct tree *tree, const char *path);
/* Calls @visit for each entry in order until one returns non-zero, which is returned. */
int tree_visit(const struct tree *tree, int (*visit)(const struct image_entry *entry, void *data), void *data);

/* A file of this machine that is in the image, once or more often. */
struct link {
	dev_t device;
	ino_t inode;
	mode_t mode;
	unsigned int count;
	int64_t number; /* the inode number that the archive gives it; 0: not written yet */
};

struct links {
	void *root;
};

int links_count(struct links *links, const struct tree *tree);
struct link *links_find(const struct links *links, const struct stat *status, mode_t mode);
void links_free(struct links *links);

/* Finds PT_INTERP. *@interpreter is NULL for a program that needs no loader: a static one, or a script. */
int elf_interpreter(int fd, char **interpreter);

/* The content of an entry that is a regular file; of all others it is empty. */
struct content {
	int fd; /* -1: none */
	struct stat status;
	int64_t bytes;
	bool cut; /* more is in the file: a program's debug information, which stays out */
};

int content_open(struct content *content, const struct image_entry *entry);
void content_close(struct content *content);
/* Takes from the first bytes of a program what they say of the part that was cut off. */
void elf_forget_sections(void *start);

/* A temporary folder of which nothing is left when this program ends, but see stage.c. */
struct stage {
	char *path; /* NULL: not open */
	int fd;
	bool named; /* it stands in TMPDIR */
};

int stage_open(struct stage *stage);
void stage_close(struct stage *stage);

/* Where firmware is; NULL: none is added. */
struct firmware {
	const char *root;
	bool summary;   /* one warning for all modules */
	size_t missing; /* modules that name files which are not there */
};

struct kmod_module;
/* Adds what a module says under @key to @values: nothing if it cannot be read. */
void module_info(struct kmod_module *module, const char *key, struct strings *values);
/* Adds what @module names. What is missing is a warning: many devices need no more than one of the files. */
int firmware_add(struct tree *tree, struct firmware *firmware, const char *version, struct kmod_module *module);
void firmware_sum_up(const struct firmware *firmware);

/* The length of a module's path without the suffix of a compression. */
size_t module_path_length(const char *path);
/* A compressed file as a plain one, @name in @stage; the caller frees its path. NULL with a message. */
char *file_expand(const struct stage *stage, const char *path, const char *name);
/* The same with a module. */
char *module_expand(const struct stage *stage, const char *path);

/* Asks for all of the list of kinds: the drivers of any machine that a root may need. */
void kinds_want(struct strings *wanted);
/* The kind of a module, NULL if it is in none. @path: below kernel/, as in "drivers/ata/ahci.ko". */
const char *kinds_of(const char *path, const char *name);
/* Whether a module of a folder in the list is left out. */
bool kinds_leave_out(const char *name);

/* @which: no, host (of this processor) or all. @early: the tree of the archive that comes first. */
bool microcode_knows(const char *which);
int microcode_add(struct tree *early, const struct stage *stage, const char *root, const char *which);

/*
 * Modules that are asked for: a name (ahci), a modalias (pci:v00008086d00002922...), or a folder of the
 * kernel's tree that ends in a slash (drivers/ata/); with '?' at its end it may be missing.
 */
struct modules {
	struct strings wanted;
	struct strings matched;    /* names and modaliases: what they lead to counts if it is in the list of kinds */
	bool by_kind;              /* folders are those of the list of kinds */
	bool no_ciphers;           /* nothing that is matched is encrypted */
	const char *dir;           /* .../lib/modules/VERSION */
	const struct stage *stage; /* holds the image's own indexes; NULL: none are made */
	struct firmware firmware;
};

int modules_read_list(struct modules *modules, const char *path);
/* Takes the words of one line. Returns -1, silently, if it is no text. */
int modules_read_line(struct modules *modules, char *line, size_t bytes);
/* Adds the modules, what they depend on, their firmware, what lets them load faster, and indexes. */
int modules_add(struct modules *modules, struct tree *tree);

/* A word that asks for modules. */
struct want {
	char *name; /* without the '?'; the caller frees it */
	bool folder, optional;
};

void want_parse(const char *word, struct want *want);
/* Splits SOURCE[:PLACE]; *@place is NULL if none is given. The caller frees both. */
void spec_parse(const char *spec, char **source, char **place);
/*
 * An absolute path without "//", "/./" and a slash at its end; the caller frees it. NULL: it is no place in the image.
 */
char *place_parse(const char *path);
/* The place to which a link at @path leads that says @target; the caller frees it. NULL: none. */
char *place_beside(const char *path, const char *target);

/* @spec: NAME or PATH, with :PATH_IN_IMAGE if it is to stand elsewhere there. Libraries come along. */
int program_add(struct tree *tree, const char *spec);
/* A file, SOURCE[:PATH_IN_IMAGE]: a link comes as a link, with the file that it leads to, unless a path is given. */
int file_add(struct tree *tree, const char *spec);
/* @source at @place; where @source is a link, so is @place, and what it leads to is added, too. */
int file_add_linked(struct tree *tree, const char *place, const char *source);
/* A folder with all that is in it, SOURCE[:PATH_IN_IMAGE]. */
int dir_add(struct tree *tree, const char *spec);

/* busybox as /bin/busybox, and what it can do as links to it, where nothing else stands. */
bool busybox_is_here(void);
int busybox_add(struct tree *tree);

/* Reads all of a file that others will map: an error of the disk is then a message, and no SIGBUS. */
int file_try(const char *path);
/* Runs @argv and waits; its output goes to @output (caller frees) if that is not NULL. */
int command_run(char *const argv[], char **output);

struct output {
	const char *name; /* as given */
	char *target;     /* the file that is replaced, behind links; NULL: written in place */
	char *temporary;  /* the name of the new file until it is renamed; NULL: it has none yet */
	int fd;
};

/* Whether the image can have that name, before it is made. */
int output_try(const char *name);
int output_open(struct output *output, const char *name);
/* @complete: put the image in its place; else leave the old one. Call it also after output_open() has failed. */
int output_close(struct output *output, bool complete);

/* Writes the image to @path: @early, uncompressed, unless it is empty; then @tree. */
int archive_make(const struct tree *early, const struct tree *tree, const char *path, const char *compression);
bool archive_knows(const char *compression);

/* What build is asked for. */
struct request {
	const char *output;
	const char *init;
	const char *compression;
	const char *tree;
	const char *shell; /* NULL: none */
	const char *microcode;
	const char *cmdline; /* names the root, if it is not the one that is mounted */
	const char *sysroot;
	const char *config; /* a file that replaces the machine's configuration */
	bool list, host, universal;
	struct strings words; /* values from the configuration */
	struct strings module_lists;
	struct strings programs;
	struct strings files;
	struct strings dirs;
	struct omits omits;
	struct modules modules;
};

/* Takes the words of a command line. Returns -1 to go on, or the exit code. Values are kept by pointer. */
int request_words(struct request *request, int argc, char **argv);
/* The same with the configuration before and the defaults after them. */
int request_parse(struct request *request, int argc, char **argv);
/* Sets a word of the configuration; @value may be NULL. Returns NULL, or what is wrong. */
const char *request_set(struct request *request, const char *word, const char *value);
void request_free(struct request *request);
/* Reads a configuration and its drop-ins, from the folder PATH.d. Neither needs to be there. */
int conf_read(struct request *request, const char *path);
int build(struct request *request);
/* Everything that lacks is named, not only the first. */
int add_each(struct tree *tree, const struct strings *specs, int (*add)(struct tree *tree, const char *spec));

/* The help, or the version alone; returns 0. */
int help_print(bool all);
/* Says what is wrong and where help is; returns the exit code. @word may be NULL. */
int usage_error(const char *what, const char *word);

/* On a terminal: one line that says what is done, and how many of them; 0: no number. Messages take its place. */
void progress(const char *what, size_t done);
void progress_end(void);

/* SIGINT, SIGTERM and SIGHUP make interrupted() true: clean up and go. */
void catch_signals(void);
bool interrupted(void);

__attribute__((format(printf, 1, 2))) int fail(const char *format, ...);
__attribute__((format(printf, 1, 2))) void warn(const char *format, ...);
void *must(void *memory);
/* Bytes that are no text in UTF-8, and control characters unless @control, as \ooo; the caller frees it. */
char *visible(const char *string, bool control);

#define LINE_ROOM 65536
/* Reads a line. Returns its length; -1 at the end or for an error; -2 for one that has no room. */
ssize_t line_read(FILE *file, char line[LINE_ROOM]);
__attribute__((format(printf, 1, 2))) char *text(const char *format, ...);

#endif
