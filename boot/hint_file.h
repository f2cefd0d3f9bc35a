/* SPDX-License-Identifier: MIT */
/* The text of /etc/inorder/hints. */
#ifndef BOOT_HINT_FILE_H
#define BOOT_HINT_FILE_H

#include <stddef.h>

enum { HINTS_MOST = 64 };

/* Texts lie in the text that was parsed. */
struct hints {
	const char *filesystem; /* NULL: none */
	const char *modules[HINTS_MOST];
	size_t count;
	size_t malformed; /* lines that are none */
	size_t line;      /* the number of the first of them */
	char sample[48];  /* its beginning, in characters that a console can show */
};

/** Parse @bytes of @text, which is changed and must outlive @hints. text[@bytes] is NUL. */
void hints_parse(char *text, size_t bytes, struct hints *hints);
#endif
