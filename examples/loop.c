/* SPDX-License-Identifier: MIT */
/*
 * Counts the lines of files: in parallel, shown in the order in which they were named.
 *
 * cc loop.c $(pkg-config --cflags --libs inorder) && ./a.out *.c
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <inorder/patterns.h>

struct file {
	const char *path;
	unsigned long lines;
};

/* In any thread, many at once. */
static int count_lines(void *data, size_t index)
{
	struct file *file = (struct file *)data + index;
	FILE *stream = fopen(file->path, "r");
	int c;

	if (!stream)
		return -errno;
	while ((c = getc(stream)) != EOF)
		file->lines += c == '\n';
	c = ferror(stream) ? -EIO : 0;
	fclose(stream);
	return c;
}

/* One at a time, in order. An error here would end the loop. */
static int show(void *data, size_t index, int error)
{
	struct file *file = (struct file *)data + index;

	if (error)
		printf("%s: %s\n", file->path, strerror(-error));
	else
		printf("%7lu %s\n", file->lines, file->path);
	return 0;
}

int main(int argc, char **argv)
{
	size_t count = (size_t)argc - 1;
	struct file *files = calloc(count + 1, sizeof(*files));
	int error;

	if (!files)
		return 1;
	for (size_t i = 0; i < count; i++)
		files[i].path = argv[i + 1];
	error = async_for_each_ordered(count, count_lines, show, files, 0);
	if (error)
		fprintf(stderr, "%s: %s\n", argv[0], strerror(-error));
	free(files);
	return error ? 1 : 0;
}
