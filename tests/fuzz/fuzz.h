/* SPDX-License-Identifier: MIT */
/*
 * What the fuzz targets share. A target gets bytes, gives them to a parser as its caller would, and checks what
 * comes out: see the top of each. HOLD() is the check; what it says is what must always be so.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* libFuzzer's entries, which have no header. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

#define HOLD(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
			abort(); \
		} \
	} while (0)

static inline void *fuzz_memory(void *memory)
{
	HOLD(memory);
	return memory;
}

/* A text of exactly that size, so that AddressSanitizer sees whoever reads past its end. The caller frees it. */
static inline char *fuzz_text(const uint8_t *bytes, size_t count)
{
	char *text = fuzz_memory(malloc(count + 1));

	memcpy(text, bytes, count);
	text[count] = '\0';
	return text;
}

/* Takes the next line out of the input, with its end; count 0: there is none. The caller frees it. */
static inline char *fuzz_line(const uint8_t **bytes, size_t *left, size_t *count)
{
	const uint8_t *end = *left ? memchr(*bytes, '\n', *left) : NULL;
	char *line;

	*count = end ? (size_t)(end - *bytes) + 1 : *left;
	line = fuzz_text(*bytes, *count);
	*bytes += *count;
	*left -= *count;
	return line;
}
#endif
