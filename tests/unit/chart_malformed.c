/* SPDX-License-Identifier: MIT */
/* What was found with malformed traces and logs, most of it by tests/fuzz: each test has the name of what was fixed. */
#include <fcntl.h>
#include <libxml/parser.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

#include "chart.h"
#include "draw.h"

static void build(struct model *model, const char *text)
{
	struct input input = {0};
	char *copy = strdup(text), *rest = copy, *line;

	while ((line = strsep(&rest, "\n")))
		assert_null(input_line(&input, line, strlen(line)));
	assert_true(model_build(model, &input, 0));
	model_find_chain(model);
	input_free(&input);
	free(copy);
}

static void end(struct model *model)
{
	model_free(model);
	resolve_free();
	keep_free();
}

/* The caller frees it. */
static char *picture(struct model *model)
{
	const struct selection all = {0};
	struct layout layout;
	char *text = NULL;
	size_t bytes = 0;
	FILE *file = open_memstream(&text, &bytes);

	layout_build(&layout, model, layout_length_ns(model, &all), 1400);
	assert_int_equal(draw(&(struct picture){NULL, "a title", model, &layout}, file), 0);
	fclose(file);
	layout_free(&layout);
	return text;
}

static void assert_xml(const char *text)
{
	xmlDoc *document = xmlReadMemory(text, (int)strlen(text), "chart.svg", NULL, XML_PARSE_NONET);

	assert_non_null(document);
	xmlFreeDoc(document);
}

static void assert_forwards(const struct model *model)
{
	for (size_t i = 0; i < model->span_count; i++)
		assert_true(model->spans[i].begin_ns <= model->spans[i].end_ns);
}

UNIT(a_step_whose_end_stands_before_its_beginning)
{
	struct model model;

	build(&model, "[    1.000000] calling  probe+0x0/0x10 @ 1\n"
		      "[    0.500000] initcall probe+0x0/0x10 returned 0 after 1000 usecs\n");
	assert_forwards(&model);
	end(&model);
}

UNIT(a_turn_that_came_before_the_call_returned)
{
	struct model model;
	char *svg;

	build(&model, "{\"t_ns\":50,\"pid\":2,\"tid\":2,\"ev\":\"started\",\"cookie\":2}\n"
		      "{\"t_ns\":60,\"pid\":2,\"tid\":2,\"ev\":\"returned\",\"cookie\":2}\n"
		      "{\"t_ns\":4,\"pid\":2,\"tid\":2,\"ev\":\"retiring\",\"cookie\":2}\n");
	assert_forwards(&model);
	svg = picture(&model);
	assert_xml(svg);
	free(svg);
	end(&model);
}

/* The wait ended with a call of which nothing else is known: the chain goes on before it, and counts nothing twice. */
UNIT(a_wait_that_ended_with_a_call_without_a_span)
{
	struct model model;

	build(&model, "{\"t_ns\":1000,\"pid\":2,\"tid\":2,\"ev\":\"calling\",\"name\":\"step\"}\n"
		      "{\"t_ns\":2000,\"pid\":2,\"tid\":2,\"ev\":\"called\",\"name\":\"step\"}\n"
		      "{\"t_ns\":2000,\"pid\":2,\"tid\":2,\"ev\":\"waiting\"}\n"
		      "{\"t_ns\":900000,\"pid\":2,\"tid\":3,\"ev\":\"completed\",\"cookie\":1}\n"
		      "{\"t_ns\":900000,\"pid\":2,\"tid\":2,\"ev\":\"continued\"}\n");
	assert_int_equal(model.chain_count, 2);
	for (size_t i = 1; i < model.chain_count; i++)
		assert_true(model.chain[i].end_ns <= model.chain[i - 1].begin_ns);
	end(&model);
}

UNIT(bytes_that_libxml2_takes_for_characters)
{
	assert_string_equal(keep("a\x9f\x95z"), "a\xef\xbf\xbd\xef\xbf\xbdz");             /* no first byte */
	assert_string_equal(keep("\xe0\x91\x96"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); /* one byte too many */
	assert_string_equal(keep("\xc3\xa9 \xe2\x82\xac \xf0\x9f\x95\x92"), "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x95\x92");
	keep_free();
}

UNIT(long_names_are_cut_between_characters)
{
	char name[1000] = "", text[2000], *svg;
	struct model model;

	for (int i = 0; i < 300; i++)
		strcat(name, "\xe2\x82\xac");
	for (int shift = 0; shift < 3; shift++) {
		snprintf(text, sizeof(text),
			 "{\"t_ns\":5,\"pid\":2,\"tid\":2,\"ev\":\"phase\",\"name\":\"%.*s%s\"}\n"
			 "{\"t_ns\":9,\"pid\":2,\"tid\":2,\"ev\":\"calling\",\"name\":\"%.*s%s\"}\n",
			 shift, "xyz", name, shift, "xyz", name);
		build(&model, text);
		svg = picture(&model);
		assert_xml(svg);
		free(svg);
		end(&model);
	}
}

UNIT(an_empty_name_is_no_name)
{
	struct model model;

	build(&model,
	      "{\"t_ns\":5,\"pid\":2,\"tid\":2,\"ev\":\"started\",\"cookie\":1,\"func\":\"f+0x0/0x1\",\"name\":\"\"}\n"
	      "{\"t_ns\":6,\"pid\":2,\"tid\":3,\"ev\":\"started\",\"cookie\":2,\"name\":\"\"}\n"
	      "{\"t_ns\":7,\"pid\":2,\"tid\":4,\"ev\":\"calling\",\"name\":\"\"}\n");
	assert_string_equal(call_name(&model.calls[0]), "f");
	assert_string_equal(call_name(&model.calls[1]), "(unnamed)");
	assert_string_equal(span_name(&model, &model.spans[2]), "(unnamed)");
	end(&model);
}

UNIT(the_smallest_error)
{
	struct model model;
	char *svg;

	build(&model, "{\"t_ns\":5,\"pid\":2,\"tid\":2,\"ev\":\"started\",\"cookie\":1}\n"
		      "{\"t_ns\":9,\"pid\":2,\"tid\":2,\"ev\":\"completed\",\"cookie\":1,\"error\":-2147483648}\n");
	svg = picture(&model);
	assert_non_null(strstr(svg, "error -2147483648"));
	free(svg);
	end(&model);
}

/* With a time limit: a pipe without a writer used to be waited for. */
UNIT(a_function_in_a_pipe)
{
	char folder[] = "/tmp/chart-odd-XXXXXX", path[64], func[80];

	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/pipe", folder);
	assert_int_equal(mkfifo(path, 0600), 0);
	snprintf(func, sizeof(func), "%s+0x10", path);
	alarm(250);
	assert_string_equal(resolve(func), "pipe+0x10");
	alarm(0);
	unlink(path);
	rmdir(folder);
	resolve_free();
	keep_free();
}

UNIT_MAIN(NULL, NULL)
