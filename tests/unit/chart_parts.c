/* SPDX-License-Identifier: MIT */
/* The chart's steps by themselves. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <link.h>
#include <unistd.h>

#include "unit.h"

#include "chart.h"

UNIT(ticks_are_round_and_few)
{
	static const uint64_t spans_ns[] = {1,         7,          1000,           999999,
					    123456789, 5000000000, 86400000000000, UINT64_C(1) << 62};

	for (size_t i = 0; i < sizeof(spans_ns) / sizeof(spans_ns[0]); i++) {
		struct scale scale = {1000, 1000 + spans_ns[i], 100, 500};
		uint64_t step_ns = scale_step_ns(&scale, 12);
		uint64_t first = step_ns;

		assert_in_range(spans_ns[i] / step_ns, 0, 12);
		assert_true(spans_ns[i] < 12 || spans_ns[i] / step_ns >= 4);
		while (first % 10 == 0)
			first /= 10;
		assert_true(first == 1 || first == 2 || first == 5);
	}
}

UNIT(time_to_pixels)
{
	struct scale scale = {1000, 2000, 100, 500};

	assert_true(scale_x(&scale, 1000) == 100);
	assert_true(scale_x(&scale, 1500) == 350);
	assert_true(scale_x(&scale, 2000) == 600);
	assert_true(scale_x(&scale, 0) == 100);
	assert_true(scale_x(&scale, UINT64_MAX) == 600);
}

static void assert_duration(uint64_t ns, const char *expected)
{
	char text[32];

	assert_string_equal(duration_text(ns, text, sizeof(text)), expected);
}

UNIT(time_to_text)
{
	char text[32];

	assert_duration(0, "0 ns");
	assert_duration(999, "999 ns");
	assert_duration(1500, "1.50 µs");
	assert_duration(15000000, "15.0 ms");
	assert_duration(152000000, "152 ms");
	assert_duration(5123456789, "5.123 s");
	assert_string_equal(tick_text(1500000000, 500000000, text, sizeof(text)), "1.5 s");
	assert_string_equal(tick_text(60000000, 20000000, text, sizeof(text)), "60 ms");
	assert_string_equal(tick_text(2500000, 500000, text, sizeof(text)), "2.5 ms");
	assert_string_equal(tick_text(30, 10, text, sizeof(text)), "30 ns");
}

UNIT(texts_are_cut_to_fit)
{
	char out[64];

	assert_string_equal(text_fit("short", 100, 10, out, sizeof(out)), "short");
	assert_string_equal(text_fit("a long name of a call", 70, 10, out, sizeof(out)), "a long nam…");
	assert_true(text_width(out) * 10 <= 70);
	assert_string_equal(text_fit("no room", 10, 10, out, sizeof(out)), "");
	text_fit("größe größe größe größe größe größe größe größe größe", 1e9, 10, out, sizeof(out));
	assert_true(strlen(out) < sizeof(out));
}

UNIT(texts_are_kept_once_and_clean)
{
	assert_ptr_equal(keep("a name"), keep_part("a name and more", 6));
	assert_string_equal(keep("esc\x1b[2J"), "esc\ufffd[2J");
	assert_string_equal(keep("bad \xff utf-8 \xed\xa0\x80"), "bad \ufffd utf-8 \ufffd");
	assert_string_equal(keep("größe 🦀"), "größe 🦀");
}

/* ---- names of functions ---- */

__attribute__((noinline)) static void only_in_symtab(void)
{
	__asm__ volatile("");
}

static int first_object(struct dl_phdr_info *info, size_t size, void *base)
{
	*(uintptr_t *)base = info->dlpi_addr;
	return 1;
}

UNIT(static_function_is_found_by_offset)
{
	uintptr_t base = 0;
	char path[256];
	char text[512];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);

	assert_true(length > 0);
	path[length] = 0;
	dl_iterate_phdr(first_object, &base);
	snprintf(text, sizeof(text), "%s+0x%" PRIxPTR, path, (uintptr_t)only_in_symtab - base);
	assert_string_equal(resolve(keep(text)), "only_in_symtab");
	/* The kernel's format has the last part of the path, with other characters replaced. */
	snprintf(text, sizeof(text), "another-name=%s", path);
	resolve_add(text);
	snprintf(text, sizeof(text), "another_name+0x%" PRIxPTR, (uintptr_t)only_in_symtab - base);
	assert_string_equal(resolve(keep(text)), "only_in_symtab");
}

UNIT(other_names_stay)
{
	assert_string_equal(resolve("symbol+0x0/0x42"), "symbol");
	assert_string_equal(resolve("symbol+0x10/0x42"), "symbol+0x10/0x42");
	assert_string_equal(resolve("/nonexistent/object+0x1234"), "object+0x1234");
	assert_string_equal(resolve("C++ name"), "C++ name");
	assert_string_equal(resolve("+0x12"), "+0x12");
	assert_string_equal(resolve("0x7ffe1234"), "0x7ffe1234");
}

/* ---- from lines to calls ---- */

static const char *read_one(struct input *input, const char *text)
{
	char line[1024];

	assert_in_range(snprintf(line, sizeof(line), "%s", text), 0, sizeof(line) - 1);
	return input_line(input, line, strlen(line));
}

static void read_lines(struct model *model, struct input *input, const char *const *lines)
{
	*input = (struct input){0};
	for (; *lines; lines++) {
		const char *wrong = read_one(input, *lines);

		if (wrong)
			fail_msg("%s: %s", wrong, *lines);
	}
	assert_true(model_build(model, input, 0));
	model_find_chain(model);
}

#define LINE(ms, tid, rest) "{\"t_ns\":" #ms "000000,\"pid\":9,\"tid\":" #tid "," rest "}"

/* The program began anew in the same file: its cookies begin anew too. */
UNIT(repeated_cookie_is_another_call)
{
	static const char *const lines[] = {
		LINE(1, 9, "\"ev\":\"scheduled\",\"cookie\":1"),
		LINE(2, 10, "\"ev\":\"started\",\"cookie\":1"),
		LINE(3, 10, "\"ev\":\"completed\",\"cookie\":1"),
		LINE(4, 9, "\"ev\":\"scheduled\",\"cookie\":1"),
		LINE(5, 10, "\"ev\":\"started\",\"cookie\":1"),
		LINE(6, 10, "\"ev\":\"completed\",\"cookie\":1"),
		NULL,
	};
	struct model model;
	struct input input;

	read_lines(&model, &input, lines);
	assert_int_equal(model.call_count, 2);
	assert_int_equal(model.calls[0].completed_ns, 3000000);
	assert_int_equal(model.calls[1].scheduled_ns, 4000000);
	model_free(&model);
	input_free(&input);
}

/* Events of different threads may stand, and have times, in another order than they happened. */
UNIT(late_events_join_their_call)
{
	static const char *const lines[] = {
		LINE(3, 10, "\"ev\":\"completed\",\"cookie\":1,\"since_ns\":2000000"),
		LINE(4, 9, "\"ev\":\"scheduled\",\"cookie\":1,\"func\":\"f+0x0/0x1\""),
		LINE(5, 9, "\"ev\":\"scheduled\",\"cookie\":2"),
		LINE(6, 9, "\"ev\":\"inline\",\"cookie\":2"),
		LINE(6, 9, "\"ev\":\"started\",\"cookie\":2"),
		LINE(7, 9, "\"ev\":\"completed\",\"cookie\":2"),
		NULL,
	};
	struct model model;
	struct input input;

	read_lines(&model, &input, lines);
	assert_int_equal(model.call_count, 2);
	assert_string_equal(call_name(&model.calls[0]), "f");
	assert_int_equal(model.spans[model.calls[0].run].begin_ns, 2000000);
	assert_true(model.calls[1].inlined);
	assert_int_equal(model.span_count, 2);
	model_free(&model);
	input_free(&input);
}

UNIT(crash_leaves_it_unfinished)
{
	static const char *const lines[] = {
		LINE(1, 9, "\"ev\":\"waiting\""),
		LINE(2, 10, "\"ev\":\"started\",\"cookie\":1"),
		LINE(3, 10, "\"ev\":\"returned\",\"cookie\":1"),
		LINE(8, 9, "\"ev\":\"phase\",\"name\":\"last\""),
		NULL,
	};
	struct model model;
	struct input input;

	read_lines(&model, &input, lines);
	assert_int_equal(model.span_count, 3);
	assert_true(model.spans[0].unfinished);
	assert_int_equal(model.spans[0].end_ns, 8000000);
	assert_false(model.spans[1].unfinished);
	assert_int_equal(model.spans[2].kind, SPAN_TURN);
	assert_true(model.spans[2].unfinished);
	model_free(&model);
	input_free(&input);
}

/* Two calls of one name at a time: which one ended shows in how long it took. */
UNIT(repeated_names_in_a_kernel_log)
{
	static const char *const lines[] = {
		"[    1.000000] calling  init+0x0/0x1 [m] @ 5",
		"[    1.500000] calling  init+0x0/0x1 [m] @ 6",
		"[    2.000000] initcall init+0x0/0x1 [m] returned 0 after 976562 usecs",
		"[    3.000000] initcall init+0x0/0x1 [m] returned 0 after 1464843 usecs",
		NULL,
	};
	struct model model;
	struct input input;

	read_lines(&model, &input, lines);
	assert_int_equal(model.span_count, 2);
	assert_int_equal(model.spans[0].end_ns, 2000000000);
	assert_int_equal(model.threads[model.spans[0].thread].tid, 5);
	assert_int_equal(model.spans[1].end_ns, 3000000000);
	model_free(&model);
	input_free(&input);
}

/* main waits for 2, which waited for its turn behind 1, which a busy worker began late. */
UNIT(chain_goes_from_the_end_to_the_beginning)
{
	static const char *const lines[] = {
		LINE(1, 9, "\"ev\":\"scheduled\",\"cookie\":1,\"domain\":\"d\""),
		LINE(2, 9, "\"ev\":\"scheduled\",\"cookie\":2,\"domain\":\"d\""),
		LINE(2, 9, "\"ev\":\"waiting\""),
		LINE(4, 10, "\"ev\":\"started\",\"cookie\":1"),
		LINE(5, 11, "\"ev\":\"started\",\"cookie\":2"),
		LINE(6, 11, "\"ev\":\"returned\",\"cookie\":2"),
		LINE(9, 10, "\"ev\":\"completed\",\"cookie\":1"),
		LINE(10, 11, "\"ev\":\"retiring\",\"cookie\":2"),
		LINE(12, 11, "\"ev\":\"completed\",\"cookie\":2"),
		LINE(13, 9, "\"ev\":\"continued\""),
		NULL,
	};
	static const uint64_t begins_ms[] = {12, 10, 4, 1};
	static const uint64_t ends_ms[] = {13, 12, 9, 4};
	struct model model;
	struct input input;

	read_lines(&model, &input, lines);
	assert_int_equal(model.chain_count, 4);
	assert_int_equal(model.chain[3].kind, LINK_QUEUED);
	assert_int_equal(model.path.explained_ns, 11000000);
	assert_int_equal(model.gap_count, 1); /* from 9 to 10: its turn had come, and no thread had seen it */
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(model.chain[i].begin_ns, begins_ms[i] * 1000000);
		assert_int_equal(model.chain[i].end_ns, ends_ms[i] * 1000000);
	}
	assert_int_equal(model.spans[0].awaited, 1);
	model_free(&model);
	input_free(&input);
}

/* A kernel log does not say what is waited for; a call that ends right after its wait did not end that wait. */
UNIT(nobody_waits_for_himself)
{
	static const char *const lines[] = {
		"[    1.000000] calling  1_first+0x0/0x1 @ 5",
		"[    1.000100] calling  2_second+0x0/0x1 @ 6",
		"[    1.001000] async_waiting @ 6",
		"[    1.009000] initcall 1_first+0x0/0x1 returned 0 after 8789 usecs",
		"[    1.009010] async_continuing @ 6 after 7822 usec",
		"[    1.009020] initcall 2_second+0x0/0x1 returned 0 after 8710 usecs",
		NULL,
	};
	struct model model;
	struct input input;

	read_lines(&model, &input, lines);
	assert_int_equal(model.spans[2].kind, SPAN_WAIT);
	assert_int_equal(model.spans[2].awaited, 0);
	model_free(&model);
	input_free(&input);
}

static void assert_wrong(const char *line)
{
	struct input input = {0};
	const char *wrong = read_one(&input, line);

	if (!wrong)
		fail_msg("not complained about: %s", line);
	assert_int_equal(input.count, 0);
	input_free(&input);
}

UNIT(bad_lines_are_named)
{
	assert_wrong("{\"");
	assert_wrong("{\"t_ns\":1}");
	assert_wrong("{\"ev\":\"phase\",\"pid\":1,\"tid\":1}");
	assert_wrong("{\"t_ns\":-5,\"pid\":1,\"tid\":1,\"ev\":\"phase\"}");
	assert_wrong("{\"t_ns\":18446744073709551615,\"pid\":1,\"tid\":1,\"ev\":\"phase\"}");
	assert_wrong("{\"t_ns\":5,\"pid\":0,\"tid\":1,\"ev\":\"phase\"}");
	assert_wrong("{\"t_ns\":5,\"pid\":1,\"tid\":1,\"ev\":\"start\",\"inorder\":3}");
	assert_wrong("{\"t_ns\":5,\"pid\":1,\"tid\":1,\"ev\":\"called\",\"since_ns\":6}");
	assert_wrong("{\"t_ns\":5,\"pid\":1,\"tid\":1,\"ev\":\"phase\"} trailing");
	assert_wrong("calling without a time] calling  f+0x0/0x1 @ 1");
	assert_wrong("[    0.-1] calling  f+0x0/0x1 @ 1");
	assert_wrong("[    1.000000] calling  f+0x0/0x1");
	assert_wrong("[    1.000000] initcall f+0x0/0x1 returned");
	assert_wrong("[    1.000000] async_waiting @ no-thread");
}

static int clean(void **state)
{
	resolve_free();
	keep_free();
	return 0;
}

UNIT_MAIN(NULL, clean)
