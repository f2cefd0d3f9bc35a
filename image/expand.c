/* SPDX-License-Identifier: MIT */
/*
 * Modules that the kernel's package has compressed go into the image as they are loaded: who boots does not unpack each
 * of them, and the image, compressed as a whole, is hardly larger.
 */
#define _GNU_SOURCE
#include "internal.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

size_t module_path_length(const char *path)
{
	static const char *const suffixes[] = {".ko.xz", ".ko.zst", ".ko.gz"};
	size_t length = strlen(path);

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		size_t bytes = strlen(suffixes[i]);

		if (length > bytes && !strcmp(path + length - bytes, suffixes[i]))
			return length - bytes + strlen(".ko");
	}
	return length;
}

static int copy_from(struct archive *packed, const char *path, int fd)
{
	struct archive_entry *entry;

	archive_read_support_filter_all(packed);
	archive_read_support_format_raw(packed);
	if (archive_read_open_filename(packed, path, 65536) != ARCHIVE_OK ||
	    archive_read_next_header(packed, &entry) != ARCHIVE_OK ||
	    archive_read_data_into_fd(packed, fd) != ARCHIVE_OK)
		return fail("cannot unpack '%s': %s", path, archive_error_string(packed));
	return 0;
}

char *file_expand(const struct stage *stage, const char *path, const char *name)
{
	char *made = text("%s/%s", stage->path, name);
	int fd = open(made, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644), result;
	struct archive *packed;

	if (fd < 0) {
		fail("cannot make '%s': %s", made, strerror(errno));
		free(made);
		return NULL;
	}
	packed = must(archive_read_new());
	result = copy_from(packed, path, fd);
	archive_read_free(packed);
	if (close(fd) && !result)
		result = fail("cannot write '%s': %s", made, strerror(errno));
	if (!result)
		return made;
	free(made);
	return NULL;
}

char *module_expand(const struct stage *stage, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *name = must(strndup(slash + 1, module_path_length(slash + 1))), *made = file_expand(stage, path, name);

	free(name);
	return made;
}
