/* SPDX-License-Identifier: MIT */
/* Instead of libFuzzer, where that is not to be had: gives a target every file of a folder, once. */
#include <dirent.h>
#include <errno.h>

#include "fuzz.h"

static void replay(const char *folder, const char *name)
{
	char path[4096];
	uint8_t *bytes = fuzz_memory(malloc(1 << 20));
	size_t count;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "r");
	if (!file) {
		fprintf(stderr, "replay: cannot open %s: %s\n", path, strerror(errno));
		exit(1);
	}
	count = fread(bytes, 1, 1 << 20, file);
	fclose(file);
	LLVMFuzzerTestOneInput(bytes, count);
	free(bytes);
}

int main(int argc, char **argv)
{
	DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
	struct dirent *entry;
	unsigned int inputs = 0;

	if (!folder) {
		fprintf(stderr, "replay: one argument is needed, a folder of inputs\n");
		return 1;
	}
	while ((entry = readdir(folder)))
		if (entry->d_name[0] != '.') {
			fprintf(stderr, "%s\n", entry->d_name); /* the last one told is the one that fails */
			replay(argv[1], entry->d_name);
			inputs++;
		}
	closedir(folder);
	printf("%u inputs\n", inputs);
	return inputs ? 0 : 1;
}
