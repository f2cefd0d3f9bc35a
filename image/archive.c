/* SPDX-License-Identifier: MIT */
/*
 * Writes the tree as a cpio archive in the one format that the kernel unpacks (newc). The same tree gives
 * the same bytes: order, owners, inode numbers and times do not depend on the machine.
 */
#define _GNU_SOURCE
#include "internal.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SMALL_BYTES (32 << 20)

struct writer {
	struct archive *archive;
	const char *name; /* of the image */
	struct links links;
	time_t mtime;
	int64_t inode;
	size_t entries;
};

static int filter_none(struct archive *archive)
{
	return archive_write_add_filter_none(archive);
}

static int filter_gzip(struct archive *archive)
{
	int result = archive_write_add_filter_gzip(archive);

	/* without its own time stamp, or two images would differ */
	return result < ARCHIVE_WARN ? result : archive_write_set_filter_option(archive, "gzip", "timestamp", NULL);
}

/* The number of threads is fixed: it may change the bytes. */
static int filter_zstd(struct archive *archive)
{
	if (archive_write_add_filter_zstd(archive) < ARCHIVE_WARN ||
	    archive_write_set_filter_option(archive, "zstd", "compression-level", "12") < ARCHIVE_WARN)
		return ARCHIVE_FATAL;
	archive_write_set_filter_option(archive, "zstd", "threads", "2"); /* older libraries have one */
	return ARCHIVE_OK;
}

/* The kernel reads only the legacy format of lz4, which libarchive does not write: its program does. */
static int filter_lz4(struct archive *archive)
{
	return archive_write_add_filter_program(archive, "lz4 -l -9 -q -c -");
}

/* The kernel knows CRC32 as xz's checksum; libarchive writes CRC64. */
static int filter_xz(struct archive *archive)
{
	return archive_write_add_filter_program(archive, "xz -T2 -2 --check=crc32 -c -");
}

static const struct {
	const char *name;
	const char *program; /* that does it */
	int (*add)(struct archive *archive);
} filters[] = {
	{"none", NULL, filter_none}, {"gzip", NULL, filter_gzip}, {"zstd", NULL, filter_zstd},
	{"lz4", "lz4", filter_lz4},  {"xz", "xz", filter_xz},
};

static int filter_index(const char *compression)
{
	for (int i = 0; i < (int)(sizeof(filters) / sizeof(filters[0])); i++)
		if (!strcmp(filters[i].name, compression))
			return i;
	return -1;
}

bool archive_knows(const char *compression)
{
	return filter_index(compression) >= 0;
}

/* libarchive's own words are "Write error" where the system knows more. */
static const char *reason(struct archive *archive)
{
	int error = archive_errno(archive);

	return error > 0 ? strerror(error) : archive_error_string(archive);
}

static int check_program(const char *compression)
{
	const char *program = filters[filter_index(compression)].program;
	char *const argv[] = {(char *)program, (char *)"--version", NULL};
	char *output;

	if (!program)
		return 0;
	if (command_run(argv, &output))
		return fail("compression '%s' needs the program '%s': install it, or choose another with --compress",
			    compression, program);
	free(output);
	return 0;
}

static int copy_content(struct writer *writer, const struct content *content, const char *source)
{
	char buffer[65536] __attribute__((aligned(8)));
	int64_t left = content->bytes;
	ssize_t got = 1;

	while (left && (got = read(content->fd, buffer, sizeof(buffer))) > 0) {
		if (content->cut && got > left)
			got = (ssize_t)left;
		if (content->cut && left == content->bytes)
			elf_forget_sections(buffer);
		if (got > left)
			break;
		if (archive_write_data(writer->archive, buffer, (size_t)got) != got)
			return fail("cannot write '%s': %s", writer->name, reason(writer->archive));
		left -= got;
	}
	if (!left && !content->cut)
		got = read(content->fd, buffer, 1); /* nothing */
	if (got < 0)
		return fail("cannot read '%s': %s", source, strerror(errno));
	if (left || (!content->cut && got))
		return fail("'%s' changed while it was read: try again", source);
	return 0;
}

/* Returns whether content follows the header: none for another name of a file that was written. */
static bool set_content(struct writer *writer, struct archive_entry *header, const struct image_entry *entry,
			const struct content *content)
{
	struct link *link = links_find(&writer->links, &content->status, entry->mode);
	bool again = link && link->number;

	if (!again)
		writer->inode++;
	if (link && !again)
		link->number = writer->inode;
	archive_entry_set_ino64(header, link ? link->number : writer->inode);
	archive_entry_set_nlink(header, link ? link->count : 1);
	archive_entry_set_size(header, again ? 0 : content->bytes);
	return entry->source && !again;
}

static int write_with(struct writer *writer, const struct image_entry *entry, const struct content *content)
{
	struct archive_entry *header = must(archive_entry_new());
	bool follows;
	int result = 0;

	archive_entry_set_pathname(header, entry->path + 1);
	archive_entry_set_mode(header, entry->mode);
	archive_entry_set_rdev(header, entry->rdev);
	archive_entry_set_mtime(header, writer->mtime, 0);
	if (entry->target)
		archive_entry_set_symlink(header, entry->target);
	follows = set_content(writer, header, entry, content);
	if (archive_write_header(writer->archive, header) != ARCHIVE_OK)
		result = fail("cannot write '%s': %s", writer->name, reason(writer->archive));
	archive_entry_free(header);
	return result || !follows ? result : copy_content(writer, content, entry->source);
}

static int write_entry(const struct image_entry *entry, void *data)
{
	struct writer *writer = data;
	struct content content;
	int result;

	progress("files written", ++writer->entries);
	if (interrupted())
		return fail("interrupted");
	if (content_open(&content, entry))
		return -1;
	result = write_with(writer, entry, &content);
	content_close(&content);
	return result;
}

static int source_date(time_t *mtime)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	char *end = NULL;

	*mtime = 0;
	if (!epoch)
		return 0;
	errno = 0;
	*mtime = (time_t)strtoll(epoch, &end, 10);
	if (errno || end == epoch || *end || *mtime < 0)
		return fail("SOURCE_DATE_EPOCH is '%s', which is no number of seconds", epoch);
	return 0;
}

static int add_bytes(const struct image_entry *entry, void *data)
{
	struct stat status;

	if (entry->source && stat(entry->source, &status) == 0)
		*(int64_t *)data += status.st_size;
	return 0;
}

/* The image of one machine gets a level that saves a tenth and takes ten times the time: some seconds. */
static int add_filter(struct archive *archive, const struct tree *tree, const char *compression)
{
	int result = filters[filter_index(compression)].add(archive);
	int64_t bytes = 0;

	tree_visit(tree, add_bytes, &bytes);
	if (!strcmp(compression, "zstd") && bytes < SMALL_BYTES && result >= ARCHIVE_WARN)
		result = archive_write_set_filter_option(archive, "zstd", "compression-level", "18");
	return result;
}

static int write_tree(const struct tree *tree, const struct output *output, const char *compression)
{
	struct writer writer = {.archive = must(archive_write_new()), .name = output->name};
	int result = source_date(&writer.mtime) || links_count(&writer.links, tree) ? -1 : 0;

	if (!result && (archive_write_set_format_cpio_newc(writer.archive) < ARCHIVE_WARN ||
			add_filter(writer.archive, tree, compression) < ARCHIVE_WARN ||
			archive_write_set_bytes_in_last_block(writer.archive, 1) != ARCHIVE_OK ||
			archive_write_open_fd(writer.archive, output->fd) != ARCHIVE_OK))
		result = fail("cannot write a cpio archive with compression '%s': %s", compression,
			      reason(writer.archive));
	if (!result)
		result = tree_visit(tree, write_entry, &writer);
	if (!result && archive_write_close(writer.archive) != ARCHIVE_OK)
		result = fail("cannot write '%s': %s", writer.name, reason(writer.archive));
	archive_write_free(writer.archive);
	links_free(&writer.links);
	return result;
}

/*
 * Debian's unmkinitramfs expects a compressed archive after uncompressed ones, and fails if nothing follows. So an
 * empty one does, which the kernel unpacks too: the end mark alone, in gzip's format.
 */
static int write_tail(const struct output *output)
{
	static const char trailer[] = "070701"
				      "00000000"
				      "00000000"
				      "00000000"
				      "00000000"
				      "00000001"
				      "00000000"
				      "00000000"
				      "00000000"
				      "00000000"
				      "00000000"
				      "00000000"
				      "0000000B"
				      "00000000"
				      "TRAILER!!!\0\0\0";
	struct archive *raw = must(archive_write_new());
	struct archive_entry *entry = must(archive_entry_new());
	int result = 0;

	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_pathname(entry, "-");
	if (archive_write_set_format_raw(raw) != ARCHIVE_OK || filter_gzip(raw) < ARCHIVE_WARN ||
	    archive_write_set_bytes_in_last_block(raw, 1) != ARCHIVE_OK ||
	    archive_write_open_fd(raw, output->fd) != ARCHIVE_OK || archive_write_header(raw, entry) != ARCHIVE_OK ||
	    archive_write_data(raw, trailer, sizeof(trailer)) != (la_ssize_t)sizeof(trailer) ||
	    archive_write_close(raw) != ARCHIVE_OK)
		result = fail("cannot write '%s': %s", output->name, reason(raw));
	archive_entry_free(entry);
	archive_write_free(raw);
	return result;
}

int archive_make(const struct tree *early, const struct tree *tree, const char *path, const char *compression)
{
	struct output output;
	int result = check_program(compression) || output_open(&output, path) ? -1 : 0;

	if (!result && early->root)
		result = write_tree(early, &output, "none");
	if (!result)
		result = write_tree(tree, &output, compression);
	if (!result && !strcmp(compression, "none"))
		result = write_tail(&output);
	if (!result && interrupted())
		result = fail("interrupted");
	return output_close(&output, !result);
}
