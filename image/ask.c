/* SPDX-License-Identifier: MIT */
/* From what a machine needs to what is asked for: modules, programs, and the files that /init reads. */
#define _GNU_SOURCE
#include "host.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Modules of volumes that no device names: they are loaded when a volume is set up. All may be built in. */
static const char *const lvm_modules[] = {
	"dm_mod?",   "dm_snapshot?",  "dm_mirror?",     "dm_raid?",      "dm_thin_pool?",
	"dm_cache?", "dm_cache_smq?", "dm_writecache?", "dm_integrity?", NULL};
static const char *const crypt_modules[] = {"dm_mod?",
					    "dm_crypt?",
					    "dm_integrity?",
					    "af_alg?",
					    "algif_skcipher?",
					    "algif_hash?",
					    "aes?",
					    "crypto-aes?",
					    "crypto-xts?",
					    "crypto-cbc?",
					    "crypto-ecb?",
					    "crypto-essiv?",
					    "xts?",
					    "cbc?",
					    "ecb?",
					    "essiv?",
					    "sha256?",
					    "sha512?",
					    "crypto-sha256?",
					    "crypto-sha512?",
					    "crypto-sha1?",
					    "crypto-hmac?",
					    "crypto-authenc?",
					    "aesni_intel?",
					    "crypto-adiantum?",
					    "crypto-serpent?",
					    "crypto-twofish?",
					    NULL};
static const char *const md_modules[] = {"md_mod?", "raid0?", "raid1?", "raid10?", "raid456?", NULL};

static void want_all(struct request *request, const char *const *words)
{
	for (; *words; words++)
		strings_add(&request->modules.wanted, *words);
}

static void want_each(struct request *request, const struct strings *names)
{
	for (size_t i = 0; i < names->count; i++) {
		char *word = text("%s?", names->items[i]);

		strings_add(&request->modules.wanted, word);
		free(word);
	}
}

/* A file of the machine at its own place, if it is there. */
static void ask_for_file(const struct needs *needs, struct strings *specs, const char *path)
{
	char *spec = text("%s%s:%s", needs->sysroot, path, path);

	*strrchr(spec, ':') = '\0';
	if (access(spec, R_OK) == 0) {
		spec[strlen(spec)] = ':';
		strings_add(specs, spec);
	}
	free(spec);
}

/* What checks the file system. XFS and btrfs are checked when they are mounted: their fsck does nothing. */
static void ask_for_check(struct request *request, const char *type)
{
	char *program = text("fsck.%s", type), *paths[] = {text("/sbin/%s", program), text("/usr/sbin/%s", program)};

	if (!strncmp(type, "ext", 3))
		strings_add(&request->programs, "e2fsck");
	else if (strcmp(type, "xfs") && strcmp(type, "btrfs") &&
		 (access(paths[0], X_OK) == 0 || access(paths[1], X_OK) == 0))
		strings_add(&request->programs, program);
	free(paths[0]);
	free(paths[1]);
	free(program);
}

static bool is_asked_for(const struct request *request, const char *path)
{
	for (size_t i = 0; i < request->files.count; i++)
		if (!strncmp(request->files.items[i], path, strlen(path)))
			return true;
	return false;
}

static bool has(const struct strings *list, const char *item)
{
	for (size_t i = 0; i < list->count; i++)
		if (!strcmp(list->items[i], item))
			return true;
	return false;
}

/* A key would be as readable as the image, so it comes only when it is asked for. */
static void warn_of_key(const struct request *request, const char *name, const char *key, const char *options)
{
	if (*key == '/' && strncmp(key, "/dev/", 5) && !is_asked_for(request, key))
		warn("'%s' is opened with the key '%s', which is not in the image: say '--add-file %s' if whoever can "
		     "read the image may have it, else the passphrase is asked for",
		     name, key, key);
	if (strstr(options, "keyscript="))
		warn("'%s' has a keyscript= in crypttab, which is not run in the image", name);
}

/* The lines of crypttab that the root needs, or that say initramfs. */
static int copy_crypttab(const struct needs *needs, const struct request *request, FILE *from, FILE *to)
{
	struct strings found = {0};
	char *line = NULL, name[256], device[1024], key[1024], options[1024];
	size_t room = 0;

	while (getline(&line, &room, from) >= 0) {
		*key = *options = '\0';
		if (line[strspn(line, " \t")] == '#' ||
		    sscanf(line, "%255s %1023s %1023s %1023s", name, device, key, options) < 2)
			continue;
		if (!has(&needs->crypts, name) && !strstr(options, "initramfs"))
			continue;
		warn_of_key(request, name, key, options);
		strings_add(&found, name);
		fprintf(to, "%s %s %s %s\n", name, device, *key ? key : "none", options);
	}
	for (size_t i = 0; i < needs->crypts.count; i++)
		if (!has(&found, needs->crypts.items[i]))
			warn("the root needs the encrypted volume '%s', which crypttab does not have: it will not be opened",
			     needs->crypts.items[i]);
	strings_free(&found);
	free(line);
	return ferror(from) || ferror(to) ? fail("cannot copy crypttab: %s", strerror(errno)) : 0;
}

static int ask_for_crypttab(const struct needs *needs, struct request *request, const struct stage *stage)
{
	char *path = text("%s/etc/crypttab", needs->sysroot), *made = text("%s/crypttab", stage->path);
	char *spec = text("%s:/etc/crypttab", made);
	FILE *from = fopen(path, "re"), *to = fopen(made, "we");
	int result = -1;

	if (!from)
		fail("the root is encrypted, but '%s' cannot be read: %s", path, strerror(errno));
	else if (!to)
		fail("cannot make '%s': %s", made, strerror(errno));
	else
		result = copy_crypttab(needs, request, from, to);
	if (from)
		fclose(from);
	if (to && fclose(to) && !result)
		result = fail("cannot write '%s': %s", made, strerror(errno));
	if (!result)
		strings_add(&request->files, spec);
	free(spec);
	free(made);
	free(path);
	return result;
}

static void ask_for_volumes(const struct needs *needs, struct request *request)
{
	if (needs->lvm) {
		want_all(request, lvm_modules);
		strings_add(&request->programs, "lvm");
		ask_for_file(needs, &request->files, "/etc/lvm/lvm.conf");
		if (access("/usr/sbin/thin_check", X_OK) == 0)
			strings_add(&request->programs, "/usr/sbin/thin_check");
	}
	if (needs->md) {
		want_all(request, md_modules);
		strings_add(&request->programs, "mdadm");
		ask_for_file(needs, &request->files, "/etc/mdadm/mdadm.conf");
	}
}

int needs_ask(const struct needs *needs, struct request *request, const struct stage *stage)
{
	want_each(request, &needs->modules);
	want_each(request, &needs->aliases);
	want_each(request, &needs->types);
	for (size_t i = 0; i < needs->others.count; i++)
		strings_add(&request->modules.matched, needs->others.items[i]);
	for (size_t i = 0; i < needs->types.count; i++)
		ask_for_check(request, needs->types.items[i]);
	ask_for_volumes(needs, request);
	ask_for_file(needs, &request->dirs, "/etc/modprobe.d");
	ask_for_file(needs, &request->dirs, "/lib/modprobe.d");
	ask_for_file(needs, &request->files, "/etc/initramfs-tools/conf.d/resume");
	request->modules.no_ciphers = !needs->crypts.count;
	if (!needs->crypts.count)
		return 0;
	want_all(request, crypt_modules);
	strings_add(&request->programs, "cryptsetup");
	return ask_for_crypttab(needs, request, stage);
}
