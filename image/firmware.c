/* SPDX-License-Identifier: MIT */
/* Firmware that modules name, from where the kernel will look for it. */
#define _GNU_SOURCE
#include "internal.h"

#include <glob.h>
#include <libkmod.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The kernel tries a file as it is, then compressed. */
static const char *const suffixes[] = {"", ".xz", ".zst"};

static int add_matches(struct tree *tree, const char *root, const glob_t *matches)
{
	int result = 0;

	for (size_t i = 0; !result && i < matches->gl_pathc; i++) {
		const char *path = matches->gl_pathv[i];
		char *place = text("/lib/firmware%s", path + strlen(root));
		struct stat status;

		/* a pattern may match a folder */
		if (!tree_has(tree, place) && stat(path, &status) == 0 && S_ISREG(status.st_mode))
			result = file_add_linked(tree, place, path);
		free(place);
	}
	return result;
}

/* Returns 1 if there is such a file, 0 if not. A name may be a pattern (brcmfmac43455-sdio.*.bin). */
static int add_name(struct tree *tree, const struct firmware *firmware, const char *version, const char *name)
{
	char *folders[] = {text("/updates/%s", version), must(strdup("/updates")), text("/%s", version),
			   must(strdup(""))};
	int result = 0;

	for (size_t i = 0; !result && i < sizeof(folders) / sizeof(folders[0]) * 3; i++) {
		char *pattern = text("%s%s/%s%s", firmware->root, folders[i / 3], name, suffixes[i % 3]);
		glob_t matches;

		if (glob(pattern, GLOB_NOSORT, NULL, &matches) == 0) {
			result = add_matches(tree, firmware->root, &matches) ? -1 : 1;
			globfree(&matches);
		}
		free(pattern);
	}
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		free(folders[i]);
	return result;
}

void module_info(struct kmod_module *module, const char *key, struct strings *values)
{
	struct kmod_list *info = NULL, *item;

	if (kmod_module_get_info(module, &info) < 0)
		return;
	kmod_list_foreach(item, info)
	{
		if (!strcmp(kmod_module_info_get_key(item), key))
			strings_add(values, kmod_module_info_get_value(item));
	}
	kmod_module_info_free_list(info);
}

int firmware_add(struct tree *tree, struct firmware *firmware, const char *version, struct kmod_module *module)
{
	const char *name = kmod_module_get_name(module), *first = NULL;
	struct strings names = {0};
	size_t missing = 0;
	int result = 0;

	if (!firmware->root)
		return 0;
	module_info(module, "firmware", &names);
	for (size_t i = 0; result >= 0 && i < names.count; i++) {
		result = add_name(tree, firmware, version, names.items[i]);
		if (result == 0) {
			first = first ? first : names.items[i];
			missing++;
		}
	}
	if (missing)
		firmware->missing++;
	if (result >= 0 && missing && !firmware->summary)
		warn("'%s' may need firmware: %zu of the %zu files that it names are not below '%s' ('%s'); "
		     "install them if your device needs them",
		     name, missing, names.count, firmware->root, first);
	strings_free(&names);
	return result < 0 ? -1 : 0;
}

void firmware_sum_up(const struct firmware *firmware)
{
	if (firmware->summary && firmware->missing)
		warn("%zu modules name firmware that is not below '%s': install what your devices need",
		     firmware->missing, firmware->root);
}
