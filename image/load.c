/* SPDX-License-Identifier: MIT */
/*
 * Reads an image as the kernel does: archives in the newc format one after the other, with zeroes between them, then
 * perhaps one that is compressed, in which again there may be several. A path that comes twice is what it was last.
 * Nothing in an image is believed: sizes are those of what is there.
 */
#define _GNU_SOURCE
#include "look.h"

#include "internal.h"

#include <archive.h>
#include <archive_entry.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* More than any image has: what unpacks to more is no image, but meant to fill memory. */
#define MOST_BYTES ((size_t)1 << 31)
/* What stands before each name in an archive: a mark and 13 numbers in eight digits. */
#define HEADER_BYTES 110

struct buffer {
	unsigned char *bytes;
	size_t count, room;
};

static int append(struct buffer *buffer, const void *bytes, size_t count, const char *name)
{
	if (count > MOST_BYTES - buffer->count)
		return fail("'%s' unpacks to more than %zu bytes: it is no image", name, MOST_BYTES);
	if (count > buffer->room - buffer->count) {
		buffer->room = buffer->count + count + buffer->room / 2;
		buffer->bytes = must(realloc(buffer->bytes, buffer->room));
	}
	memcpy(buffer->bytes + buffer->count, bytes, count);
	buffer->count += count;
	return 0;
}

static int damaged(struct archive *archive, const char *name)
{
	const char *why = archive_error_string(archive);

	return fail("'%s' is damaged: %s", name, why ? why : "an archive in it does not end");
}

static char *copy(const char *string)
{
	return string ? must(strdup(string)) : NULL;
}

/* "./a//b/" is a/b. Returns NULL for a path that leads out. */
static char *clean(const char *path)
{
	char *rooted = text("/%s", path), *place = place_parse(rooted), *result = NULL;

	if (place)
		result = must(strdup(place + 1));
	else if (!path[strspn(path, "./")] && !strstr(path, ".."))
		result = must(strdup("."));
	free(rooted);
	free(place);
	return result;
}

/* Makes room for one more of @count items of @size bytes; the room is a power of two. */
static void *grow(void *items, size_t count, size_t size)
{
	return count & (count - 1) ? items : must(reallocarray(items, count ? count * 2 : 1, size));
}

/* The members' contents are freed with the image: names may share them. */
static unsigned char *new_content(struct loaded *loaded, size_t size)
{
	loaded->contents = grow(loaded->contents, loaded->contents_count, sizeof(*loaded->contents));
	loaded->contents[loaded->contents_count] = must(malloc(size + 1));
	return loaded->contents[loaded->contents_count++];
}

static int read_data(struct loaded *loaded, struct archive *archive, int64_t size, size_t left, const char *name)
{
	struct member *member = &loaded->members[loaded->count - 1];
	la_ssize_t got;

	if (size < 0 || (uint64_t)size > left)
		return fail("'%s' is damaged: '%s' ends after the image does", name, member->path);
	member->size = (size_t)size;
	member->data = new_content(loaded, member->size);
	got = archive_read_data(archive, member->data, member->size);
	return got == size ? 0 : damaged(archive, name);
}

static int add_member(struct loaded *loaded, struct archive *archive, struct archive_entry *entry, size_t left,
		      const char *name)
{
	const char *path = archive_entry_pathname(entry);
	struct member *member;

	loaded->members = grow(loaded->members, loaded->count, sizeof(*member));
	member = &loaded->members[loaded->count];
	*member = (struct member){.path = path ? clean(path) : NULL, .order = loaded->count};
	if (!member->path)
		return fail("'%s' has the path '%s', which leads out of it", name, path ? path : "");
	loaded->count++;
	member->mode = archive_entry_mode(entry);
	member->uid = (uid_t)archive_entry_uid(entry);
	member->gid = (gid_t)archive_entry_gid(entry);
	member->rdev = archive_entry_rdev(entry);
	member->mtime = archive_entry_mtime(entry);
	member->target = copy(archive_entry_symlink(entry));
	if (S_ISREG(member->mode) && archive_entry_hardlink(entry))
		member->first = clean(archive_entry_hardlink(entry));
	if (S_ISLNK(member->mode) && !member->target)
		return fail("'%s' is damaged: the link '%s' leads nowhere", name, member->path);
	return S_ISREG(member->mode) ? read_data(loaded, archive, archive_entry_size(entry), left, name) : 0;
}

/* The number in eight hexadecimal digits at @digits. Returns false if it is none. */
static bool read_hex(const unsigned char *digits, size_t *number)
{
	*number = 0;
	for (int i = 0; i < 8; i++) {
		int digit = digits[i];

		if (!isxdigit(digit))
			return false;
		*number = *number << 4 | (size_t)(digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
	}
	return true;
}

/*
 * How long the archive at @bytes is; 0, with a message, if it is none. libarchive would look for the next header where
 * there is none, and believes the length of a name.
 */
static size_t measure(const char *name, const unsigned char *bytes, size_t count)
{
	size_t at = 0, content, path;

	while (count - at >= HEADER_BYTES) {
		const unsigned char *header = bytes + at;
		size_t left = count - at - HEADER_BYTES;

		if (memcmp(header, "07070", 5) || (header[5] != '1' && header[5] != '2') ||
		    !read_hex(header + 54, &content) || !read_hex(header + 94, &path)) {
			fail("'%s' is damaged: no header in the format newc at byte %zu of an archive", name, at);
			return 0;
		}
		if (path < 1 || path > PATH_MAX || path > left || content > left - path)
			break;
		at += (HEADER_BYTES + path + 3) & ~(size_t)3;
		if (path == sizeof("TRAILER!!!") && !memcmp(header + HEADER_BYTES, "TRAILER!!!", path))
			return at < count ? at : count;
		at += (content + 3) & ~(size_t)3;
		if (at > count)
			break;
	}
	fail("'%s' is damaged: an archive in it does not end", name);
	return 0;
}

/* Reads one archive, which @bytes and @count hold exactly. */
static int read_archive(struct loaded *loaded, const char *name, const unsigned char *bytes, size_t count)
{
	struct archive *archive = must(archive_read_new());
	struct archive_entry *entry;
	int result = 0, state = ARCHIVE_OK;

	if (archive_read_support_format_cpio(archive) != ARCHIVE_OK ||
	    archive_read_open_memory(archive, (void *)bytes, count) != ARCHIVE_OK)
		result = damaged(archive, name);
	while (!result && (state = archive_read_next_header(archive, &entry)) == ARCHIVE_OK) {
		result = add_member(loaded, archive, entry, count, name);
		if (!result && interrupted())
			result = fail("interrupted");
	}
	if (!result && state != ARCHIVE_EOF)
		result = damaged(archive, name);
	archive_read_free(archive);
	loaded->archives++;
	return result;
}

/* The formats that the kernel unpacks and libarchive reads without another program. */
static void support_filters(struct archive *archive)
{
	archive_read_support_filter_gzip(archive);
	archive_read_support_filter_bzip2(archive);
	archive_read_support_filter_xz(archive);
	archive_read_support_filter_lzma(archive);
	archive_read_support_filter_lz4(archive);
	archive_read_support_filter_zstd(archive);
}

static int uncompress(struct buffer *out, const char *name, const unsigned char *bytes, size_t count)
{
	struct archive *archive = must(archive_read_new());
	unsigned char *block = must(malloc(65536));
	struct archive_entry *entry;
	la_ssize_t got = 0;
	int result = 0;

	support_filters(archive);
	archive_read_support_format_raw(archive);
	if (archive_read_open_memory(archive, (void *)bytes, count) != ARCHIVE_OK ||
	    archive_read_next_header(archive, &entry) != ARCHIVE_OK)
		result = damaged(archive, name);
	else if (archive_filter_code(archive, 0) == ARCHIVE_FILTER_NONE)
		result = fail("'%s' is no image: neither a cpio archive nor one that is compressed", name);
	while (!result && (got = archive_read_data(archive, block, 65536)) > 0)
		result = interrupted() ? fail("interrupted") : append(out, block, (size_t)got, name);
	if (!result && got < 0)
		result = damaged(archive, name);
	free(block);
	archive_read_free(archive);
	return result;
}

/* @nested: what is compressed is in what was compressed, which the kernel does not unpack. */
static int read_archives(struct loaded *loaded, const char *name, const unsigned char *bytes, size_t count, bool nested)
{
	struct buffer inner = {.bytes = NULL};
	size_t at = 0, used;
	int result = 0;

	while (!result) {
		while (at < count && !bytes[at])
			at++;
		if (count - at < 4 || memcmp(bytes + at, "0707", 4))
			break;
		used = measure(name, bytes + at, count - at);
		result = used ? read_archive(loaded, name, bytes + at, used) : -1;
		at += used;
	}
	if (result || at == count)
		return result;
	if (nested)
		return fail("'%s' is damaged: no archive follows the last one", name);
	result = uncompress(&inner, name, bytes + at, count - at);
	if (!result)
		result = read_archives(loaded, name, inner.bytes, inner.count, true);
	free(inner.bytes);
	return result;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct member *)a)->path, ((const struct member *)b)->path);
}

static void keep(void *member)
{
	(void)member;
}

static void share(const struct member *from, struct member *to)
{
	to->data = from->data;
	to->size = from->size;
}

/* The content of a hard link comes with one of its names, the first or a later one; then all have it. */
static void share_links(struct loaded *loaded)
{
	void *names = NULL;

	for (size_t i = 0; i < loaded->count; i++) {
		struct member *member = &loaded->members[i], key = {.path = member->first}, **found, *first;

		found = member->first ? tfind(&key, &names, compare_names) : NULL;
		first = found ? *found : NULL;
		if (first && S_ISREG(first->mode)) {
			if (member->size && !first->size)
				share(member, first);
			else if (!member->size && first->size)
				share(first, member);
		}
		must(tsearch(member, &names, compare_names));
	}
	tdestroy(names, keep);
}

int load_bytes(struct loaded *loaded, const char *name, const unsigned char *bytes, size_t count)
{
	int result;

	*loaded = (struct loaded){.count = 0};
	result = read_archives(loaded, name, bytes, count, false);
	if (!result && !loaded->archives)
		result = fail("'%s' is no image: it is empty", name);
	if (!result)
		share_links(loaded);
	return result;
}

int load_file(struct loaded *loaded, const char *name)
{
	int fd = strcmp(name, "-") ? open(name, O_RDONLY | O_CLOEXEC) : STDIN_FILENO, result = 0;
	unsigned char block[65536];
	struct buffer all = {.bytes = NULL};
	ssize_t got = -1;

	*loaded = (struct loaded){.count = 0};
	while (fd >= 0 && !result && (got = read(fd, block, sizeof(block))) > 0)
		result = append(&all, block, (size_t)got, name);
	if (!result && got < 0)
		result = fail("cannot read '%s': %s", name, strerror(errno));
	if (fd > STDIN_FILENO)
		close(fd);
	if (!result)
		result = load_bytes(loaded, name, all.bytes, all.count);
	free(all.bytes);
	return result;
}

static void member_free(struct member *member)
{
	free(member->path);
	free(member->target);
	free(member->first);
}

static int compare(const void *a, const void *b)
{
	const struct member *one = a, *other = b;
	int order = strcmp(one->path, other->path);

	if (order)
		return order;
	return one->order < other->order ? -1 : one->order > other->order;
}

void load_settle(struct loaded *loaded)
{
	size_t kept = 0;

	if (loaded->count)
		qsort(loaded->members, loaded->count, sizeof(*loaded->members), compare);
	for (size_t i = 0; i < loaded->count; i++) {
		if (i + 1 < loaded->count && !strcmp(loaded->members[i].path, loaded->members[i + 1].path))
			member_free(&loaded->members[i]);
		else
			loaded->members[kept++] = loaded->members[i];
	}
	loaded->count = kept;
}

static int compare_path(const void *key, const void *member)
{
	return strcmp(key, ((const struct member *)member)->path);
}

const struct member *load_find(const struct loaded *loaded, const char *path)
{
	if (!loaded->count)
		return NULL;
	return bsearch(path, loaded->members, loaded->count, sizeof(*loaded->members), compare_path);
}

/* Where the first link in @place leads, with what follows it; NULL: there is none. */
static char *through_link(const struct loaded *loaded, const char *place, bool *found)
{
	char *prefix = must(strdup(place)), *beside, *joined, *next = NULL;

	*found = false;
	for (size_t at = 1; !*found && at <= strlen(place); at++) {
		const struct member *member;

		if (place[at] && place[at] != '/')
			continue;
		prefix[at] = '\0';
		member = load_find(loaded, prefix + 1);
		prefix[at] = place[at];
		if (!member || !member->target)
			continue;
		*found = true;
		prefix[at] = '\0';
		beside = place_beside(prefix, member->target);
		joined = text("%s%s", beside ? beside : "", place + at);
		next = place_parse(joined);
		free(beside);
		free(joined);
	}
	free(prefix);
	return next;
}

const struct member *load_follow(const struct loaded *loaded, const char *path)
{
	char *rooted = text("/%s", path), *place = place_parse(rooted), *next;
	const struct member *member = NULL;
	bool link = true;

	free(rooted);
	for (int links = 0; place && link && links < 40; links++) {
		next = through_link(loaded, place, &link);
		if (!link) {
			member = load_find(loaded, place + 1);
			break;
		}
		free(place);
		place = next;
	}
	free(place);
	return member;
}

void load_free(struct loaded *loaded)
{
	for (size_t i = 0; i < loaded->count; i++)
		member_free(&loaded->members[i]);
	for (size_t i = 0; i < loaded->contents_count; i++)
		free(loaded->contents[i]);
	free(loaded->contents);
	free(loaded->members);
	*loaded = (struct loaded){.count = 0};
}
