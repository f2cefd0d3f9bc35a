/* SPDX-License-Identifier: MIT */
/*
 * Programs and the libraries they need.
 *
 * Who knows which libraries a program gets is the dynamic loader that will load it, so we ask that one
 * (LOADER --list PROGRAM, where LOADER is the program's PT_INTERP). It applies RUNPATH, $ORIGIN and its
 * configuration as it will at run time, where a reader of DT_NEEDED would have to imitate them. It maps
 * the program but runs none of its code. The image is thus for the kind of machine it is made on.
 */
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Debian's name of this kind of machine, which is that of folders of libraries. */
#if defined(__x86_64__)
#define TRIPLET "x86_64-linux-gnu"
#elif defined(__aarch64__)
#define TRIPLET "aarch64-linux-gnu"
#else
#define TRIPLET "."
#endif

/* Where a program is looked for that is given by name: the shortest path first, which scripts rely on. */
static const char *const program_dirs[] = {"/sbin", "/bin", "/usr/sbin", "/usr/bin"};

static int interpreter_of(const char *path, char **interpreter)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), error;

	if (fd < 0)
		return fail("cannot read '%s': %s", path, strerror(errno));
	error = elf_interpreter(fd, interpreter);
	close(fd);
	if (error) {
		free(*interpreter);
		*interpreter = NULL;
		return fail("'%s' is no program that this tool can read (64-bit ELF only)", path);
	}
	return 0;
}

/* A library stays where it is if the loader looks there by itself; others (a build folder) go to /lib. */
static int add_library(struct tree *tree, const char *name, const char *path)
{
	const char *base = strrchr(name, '/');
	char *place;
	int result;

	if (!strncmp(path, "/lib", 4) || !strncmp(path, "/usr/lib", 8))
		return tree_add_file(tree, path, path);
	place = text("/lib/%s", base ? base + 1 : name);
	result = tree_add_file(tree, place, path);
	free(place);
	return result;
}

/* Libraries that others open by themselves when they run, so no header names them; they may be missing here. */
static const struct {
	const char *by, *opens;
} opened[] = {
	{"libcryptsetup.so.12", "libgcc_s.so.1"}, /* a thread that is cancelled unwinds */
	{"libargon2.so.1", "libgcc_s.so.1"},
	{"libcryptsetup.so.12", "ossl-modules/legacy.so"}, /* hashes of old volumes */
};

static int add_opened(struct tree *tree, const char *name, const char *path)
{
	static const char *const folders[] = {"", "/lib/" TRIPLET, "/usr/lib/" TRIPLET, "/lib64", "/usr/lib64"};
	const char *slash = strrchr(path, '/');
	int result = 0;

	for (size_t i = 0; !result && i < sizeof(opened) / sizeof(opened[0]); i++) {
		bool found = strcmp(opened[i].by, name) != 0;

		for (size_t j = 0; !found && !result && j < sizeof(folders) / sizeof(folders[0]); j++) {
			char *there = j ? text("%s/%s", folders[j], opened[i].opens)
					: text("%.*s/%s", (int)(slash - path), path, opened[i].opens);

			found = access(there, R_OK) == 0;
			if (found)
				result = add_library(tree, opened[i].opens, there);
			free(there);
		}
	}
	return result;
}

/* One line of the loader: "libx.so.1 => /lib/libx.so.1 (0x...)", "/lib64/ld.so (0x...)", "linux-vdso.so.1 (0x...)". */
static int add_line(struct tree *tree, const char *program, char *line)
{
	char *arrow = strstr(line, " => "), *name = line + strspn(line, " \t"), *path = arrow ? arrow + 4 : name;
	char *address = strrchr(path, '(');

	if (address && address > path)
		address[-1] = '\0';
	if (arrow)
		*arrow = '\0';
	if (arrow && !strcmp(path, "not found"))
		return fail("'%s' needs the library '%s', which is not found: install it", program, name);
	if (path[0] != '/')
		return 0;
	return add_library(tree, name, path) || add_opened(tree, name, path) ? -1 : 0;
}

static int add_libraries(struct tree *tree, const char *program, char *interpreter)
{
	char *const argv[] = {interpreter, (char *)"--list", (char *)program, NULL};
	char *output, *rest, *line;
	int result;

	if (tree_add_file(tree, interpreter, interpreter))
		return -1;
	if (command_run(argv, &output))
		return fail("cannot tell which libraries '%s' needs", program);
	rest = output;
	result = 0;
	while (!result && (line = strsep(&rest, "\n")))
		result = add_line(tree, program, line);
	free(output);
	return result;
}

/* Splits a spec and finds a source that is a bare name. The caller frees both. */
static int split(const char *spec, char **source, char **place)
{
	spec_parse(spec, source, place);
	for (size_t i = 0; !strchr(*source, '/') && i < sizeof(program_dirs) / sizeof(program_dirs[0]); i++) {
		char *path = text("%s/%s", program_dirs[i], *source);

		if (access(path, R_OK) == 0) {
			free(*source);
			*source = path;
		} else {
			free(path);
		}
	}
	if (!*place)
		*place = must(strdup(*source));
	if (access(*source, R_OK) == 0)
		return 0;
	fail("no program or file '%s': %s; install it, or give its path", *source, strerror(errno));
	free(*source);
	free(*place);
	return -1;
}

/* A script needs the program that its first line names; what else it calls is not looked for. */
static int add_script(struct tree *tree, const char *path)
{
	char line[256] = "", *end;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return fail("cannot read '%s': %s", path, strerror(errno));
	if (pread(fd, line, 4, 0) < 2 || memcmp(line, "#!", 2)) {
		close(fd);
		if (!memcmp(line, "\177ELF", 4))
			return 0;
		return fail("'%s' is neither a program nor a script: what is only read comes with --add-file", path);
	}
	if (pread(fd, line, sizeof(line) - 1, 2) < 0)
		line[0] = '\0';
	close(fd);
	end = line + strspn(line, " \t");
	end[strcspn(end, " \t\r\n")] = '\0';
	if (*end != '/' || strchr(end, ':') || !strcmp(end, path))
		return fail("'%s' is a script without a program that runs it", path);
	return tree_has(tree, end) ? 0 : program_add(tree, end);
}

int program_add(struct tree *tree, const char *spec)
{
	char *source, *place, *interpreter = NULL;
	int result;

	if (split(spec, &source, &place))
		return -1;
	result = interpreter_of(source, &interpreter);
	if (!result)
		result = tree_add_file(tree, place, source);
	if (!result)
		result = interpreter ? add_libraries(tree, source, interpreter) : add_script(tree, source);
	free(interpreter);
	free(source);
	free(place);
	return result;
}

static char *busybox_path(void)
{
	for (size_t i = 0; i < sizeof(program_dirs) / sizeof(program_dirs[0]); i++) {
		char *path = text("%s/busybox", program_dirs[i]);

		if (access(path, X_OK) == 0)
			return path;
		free(path);
	}
	return NULL;
}

bool busybox_is_here(void)
{
	char *path = busybox_path();

	free(path);
	return path != NULL;
}

int busybox_add(struct tree *tree)
{
	char *path = busybox_path(), *spec = text("%s:/bin/busybox", path), *output = NULL, *rest, *name;
	char *const argv[] = {path, (char *)"--list", NULL};
	int result = program_add(tree, spec) || command_run(argv, &output) ? -1 : 0;

	rest = output;
	while (!result && (name = strsep(&rest, "\n"))) {
		char *place = text("/bin/%s", name);

		if (*name && !strchr(name, '/') && !tree_has(tree, place))
			result = tree_add_link(tree, place, "busybox");
		free(place);
	}
	free(output);
	free(spec);
	free(path);
	return result;
}
