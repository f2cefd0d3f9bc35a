/* SPDX-License-Identifier: MIT */
/* inorder-image: makes the initramfs that boots with inorder-init. */
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <unistd.h>

#ifndef INORDER_INIT
#define INORDER_INIT "/usr/local/libexec/inorder/inorder-init"
#endif

static const char help[] =
	"Usage: inorder-image [OPTION]... -o FILE\n"
	"Makes an initramfs: inorder-init as /init, kernel modules, programs, and what these need.\n"
	"\n"
	"  -o, --output FILE      write the image there: a file is replaced when all is well, a link is\n"
	"                         followed, a device, a pipe or - (standard output) is written to\n"
	"  -l, --list             print size and path of everything in the image; without -o nothing is written\n"
	"  -t, --tree DIR         the kernel's modules, .../lib/modules/VERSION (default: the running kernel's)\n"
	"  -m, --module WANT      add a module: a name, a modalias, or a folder with a slash at its end\n"
	"                         (drivers/ata/); with '?' at the end it may be missing\n"
	"  -M, --modules FILE     add all modules that the file asks for, in the same words\n"
	"  -p, --program SPEC     add a program, NAME or PATH or PATH:PLACE, with its libraries\n"
	"  -f, --file PATH:PLACE  add a file\n"
	"  -s, --shell[=PROGRAM]  add a shell as /bin/sh, which is run when a boot fails (default: /bin/sh)\n"
	"  -i, --init PROGRAM     what becomes /init (default: " INORDER_INIT ")\n"
	"  -c, --compress NAME    none (the fastest to boot where the disk is fast), lz4, zstd, gzip, xz\n"
	"                         (default: none)\n"
	"  -h, --help             print this\n"
	"  -V, --version          print the version\n"
	"\n"
	"The same input gives the same bytes; files bear the time SOURCE_DATE_EPOCH, or 0.\n"
	"Exit codes: 0 done, 1 the image could not be made, 2 wrong usage.\n";

static const struct option long_options[] = {
	{"output", required_argument, NULL, 'o'},
	{"list", no_argument, NULL, 'l'},
	{"tree", required_argument, NULL, 't'},
	{"module", required_argument, NULL, 'm'},
	{"modules", required_argument, NULL, 'M'},
	{"program", required_argument, NULL, 'p'},
	{"file", required_argument, NULL, 'f'},
	{"shell", optional_argument, NULL, 's'},
	{"init", required_argument, NULL, 'i'},
	{"compress", required_argument, NULL, 'c'},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{NULL, 0, NULL, 0},
};

/* What the command line asks for. */
struct request {
	const char *output;
	const char *init;
	const char *compression;
	const char *tree;
	bool list;
	struct strings module_lists;
	struct strings programs;
	struct strings files;
	struct modules modules;
};

static void ask_for_shell(struct request *request, const char *shell)
{
	char *spec = text("%s:/bin/sh", shell ? shell : "/bin/sh");

	strings_add(&request->programs, spec);
	free(spec);
}

static int wrong(const char *what, const char *word)
{
	fail("%s%s%s%s; see --help", what, word ? " '" : "", word ? word : "", word ? "'" : "");
	return 2;
}

/* Returns -1 to go on, or the exit code. */
static int take_option(struct request *request, int option, const char *value)
{
	switch (option) {
	case 'o':
		request->output = value;
		break;
	case 'l':
		request->list = true;
		break;
	case 't':
		request->tree = value;
		break;
	case 'm':
		strings_add(&request->modules.wanted, value);
		break;
	case 'M':
		strings_add(&request->module_lists, value);
		break;
	case 'p':
		strings_add(&request->programs, value);
		break;
	case 'f':
		strings_add(&request->files, value);
		break;
	case 's':
		ask_for_shell(request, value);
		break;
	case 'i':
		request->init = value;
		break;
	case 'c':
		request->compression = value;
		break;
	case 'h':
		fputs(help, stdout);
		return 0;
	case 'V':
		puts("inorder-image " INORDER_VERSION);
		return 0;
	default:
		return wrong("unknown option, or one without its value", NULL);
	}
	return -1;
}

static int parse(struct request *request, int argc, char **argv)
{
	int option, done = -1;

	opterr = 0;
	while (done < 0 && (option = getopt_long(argc, argv, "o:lt:m:M:p:f:s::i:c:hV", long_options, NULL)) >= 0)
		done = take_option(request, option, optarg);
	if (done >= 0)
		return done;
	if (optind < argc)
		return wrong("what is meant by", argv[optind]);
	if (!request->output && !request->list)
		return wrong("no --output given", NULL);
	if (!archive_knows(request->compression))
		return wrong("no such compression:", request->compression);
	if (request->list && request->output && !strcmp(request->output, "-"))
		return wrong("--list and the image cannot both go to standard output", NULL);
	return -1;
}

/* The folder of the modules as an absolute path without a slash at its end. */
static char *modules_folder(const char *asked)
{
	struct utsname system;
	char *given, *found;

	uname(&system);
	given = asked ? must(strdup(asked)) : text("/lib/modules/%s", system.release);
	found = realpath(given, NULL);
	if (!found)
		fail("no kernel modules in '%s': %s; give the folder lib/modules/VERSION with --tree", given,
		     strerror(errno));
	free(given);
	return found;
}

static int add_folders(struct tree *tree)
{
	static const char *const folders[] = {"/dev", "/proc", "/sys", "/run", "/etc", "/root"};
	int result = tree_add_node(tree, "/tmp", S_IFDIR | 01777, 0);

	for (size_t i = 0; !result && i < sizeof(folders) / sizeof(folders[0]); i++)
		result = tree_add_dir(tree, folders[i]);
	return result ? result : tree_add_node(tree, "/dev/console", S_IFCHR | 0600, makedev(5, 1));
}

static int add_content(struct request *request, struct tree *tree)
{
	char *init = text("%s:/init", request->init);
	int result = add_folders(tree) || program_add(tree, init) ? -1 : 0;

	free(init);
	for (size_t i = 0; i < request->programs.count; i++)
		result |= program_add(tree, request->programs.items[i]);
	for (size_t i = 0; i < request->files.count; i++)
		result |= file_add(tree, request->files.items[i]);
	for (size_t i = 0; !result && i < request->module_lists.count; i++)
		result = modules_read_list(&request->modules, request->module_lists.items[i]);
	return result ? -1 : modules_add(&request->modules, tree);
}

static int print_entry(const struct image_entry *entry, void *data)
{
	struct stat status = {0};

	(void)data;
	if (entry->source && stat(entry->source, &status))
		return fail("cannot read '%s': %s", entry->source, strerror(errno));
	return printf("%9jd %s\n", (intmax_t)status.st_size, entry->path) < 0 ? fail("cannot print the list") : 0;
}

static int make(struct request *request)
{
	char *folder = modules_folder(request->tree);
	struct tree tree = {NULL};
	int result = -1;

	if (folder) {
		request->modules.dir = folder;
		result = add_content(request, &tree);
		if (!result && interrupted())
			result = fail("interrupted");
		if (!result && request->list)
			result = tree_visit(&tree, print_entry, NULL);
		if (!result && request->output)
			result = archive_make(&tree, request->output, request->compression);
	}
	tree_free(&tree);
	free(folder);
	return result;
}

int main(int argc, char **argv)
{
	struct request request = {.init = INORDER_INIT, .compression = "none"};
	int code = parse(&request, argc, argv);

	if (code < 0) {
		catch_signals();
		code = make(&request) ? 1 : 0;
	}
	modules_release(&request.modules);
	strings_free(&request.module_lists);
	strings_free(&request.programs);
	strings_free(&request.files);
	if (fflush(stdout) && !code)
		code = 1;
	return code;
}
