/* SPDX-License-Identifier: MIT */
/* SVG through libxml2's writer. Numbers have two decimals at most, so equal input gives equal bytes. */
#include <errno.h>
#include <libxml/xmlwriter.h>
#include <stdlib.h>
#include <string.h>

#include "chart.h"

struct svg {
	xmlBuffer *buffer;
	xmlTextWriter *writer;
	bool failed;
	const char *title, *style;
};

static void check(struct svg *svg, int result)
{
	if (result < 0)
		svg->failed = true;
}

static void start(struct svg *svg, const char *element)
{
	check(svg, xmlTextWriterStartElement(svg->writer, BAD_CAST element));
}

static void end(struct svg *svg)
{
	check(svg, xmlTextWriterEndElement(svg->writer));
}

static void attribute(struct svg *svg, const char *name, const char *value)
{
	check(svg, xmlTextWriterWriteAttribute(svg->writer, BAD_CAST name, BAD_CAST value));
}

static void number(struct svg *svg, const char *name, double value)
{
	char text[64];
	char *last = text + snprintf(text, sizeof(text), "%.2f", value) - 1;

	while (*last == '0')
		*last-- = 0;
	if (*last == '.')
		*last = 0;
	attribute(svg, name, strcmp(text, "-0") == 0 ? "0" : text);
}

static void element(struct svg *svg, const char *name, const char *content)
{
	check(svg, xmlTextWriterWriteElement(svg->writer, BAD_CAST name, BAD_CAST content));
}

static bool writer_open(struct svg *svg)
{
	svg->buffer = xmlBufferCreate();
	svg->writer = svg->buffer ? xmlNewTextWriterMemory(svg->buffer, 0) : NULL;
	if (!svg->writer) {
		xmlBufferFree(svg->buffer);
		return false;
	}
	xmlTextWriterSetIndent(svg->writer, 1);
	return true;
}

struct svg *svg_open(const char *title, const char *style)
{
	struct svg *svg = calloc(1, sizeof(*svg));

	if (svg && writer_open(svg)) {
		svg->title = title;
		svg->style = style;
		return svg;
	}
	free(svg);
	return NULL;
}

/* Around what was drawn: only now it is known how high that is. */
static void write_document(struct svg *svg, double width, double height, const xmlChar *body)
{
	char box[96];

	snprintf(box, sizeof(box), "0 0 %.0f %.0f", width, height);
	check(svg, xmlTextWriterStartDocument(svg->writer, NULL, "UTF-8", NULL));
	start(svg, "svg");
	attribute(svg, "xmlns", "http://www.w3.org/2000/svg");
	number(svg, "width", width);
	number(svg, "height", height);
	attribute(svg, "viewBox", box);
	element(svg, "title", svg->title);
	element(svg, "style", svg->style);
	svg_rect(svg, 0, 0, width, height, "page", NULL);
	check(svg, xmlTextWriterWriteRaw(svg->writer, body));
	check(svg, xmlTextWriterEndDocument(svg->writer));
}

int svg_close(struct svg *svg, double width, double height, FILE *file)
{
	xmlBuffer *body = svg->buffer;
	int result = -ENOMEM;

	xmlFreeTextWriter(svg->writer);
	if (!svg->failed && writer_open(svg)) {
		write_document(svg, width, height, xmlBufferContent(body));
		xmlFreeTextWriter(svg->writer);
		if (!svg->failed && fputs((const char *)xmlBufferContent(svg->buffer), file) >= 0 && fflush(file) == 0)
			result = 0;
		else if (!svg->failed)
			result = errno ? -errno : -EIO;
		xmlBufferFree(svg->buffer);
	}
	xmlBufferFree(body);
	free(svg);
	return result;
}

void svg_group(struct svg *svg, const char *class_name)
{
	start(svg, "g");
	attribute(svg, "class", class_name);
}

void svg_group_sized(struct svg *svg, const char *class_name, double font)
{
	svg_group(svg, class_name);
	if (font > 0)
		number(svg, "font-size", font);
}

void svg_group_at(struct svg *svg, double y)
{
	char text[64];

	snprintf(text, sizeof(text), "translate(0 %.0f)", y);
	start(svg, "g");
	attribute(svg, "transform", text);
}

void svg_group_end(struct svg *svg)
{
	end(svg);
}

static void class_and_tooltip(struct svg *svg, const char *class_name, const char *tooltip)
{
	if (class_name)
		attribute(svg, "class", class_name);
	if (tooltip)
		element(svg, "title", tooltip);
}

void svg_rect(struct svg *svg, double x, double y, double width, double height, const char *class_name,
	      const char *tooltip)
{
	start(svg, "rect");
	number(svg, "x", x);
	number(svg, "y", y);
	number(svg, "width", width);
	number(svg, "height", height);
	class_and_tooltip(svg, class_name, tooltip);
	end(svg);
}

void svg_line(struct svg *svg, double x1, double y1, double x2, double y2, const char *class_name)
{
	start(svg, "line");
	number(svg, "x1", x1);
	number(svg, "y1", y1);
	number(svg, "x2", x2);
	number(svg, "y2", y2);
	class_and_tooltip(svg, class_name, NULL);
	end(svg);
}

void svg_path(struct svg *svg, const char *path, const char *class_name, const char *tooltip)
{
	start(svg, "path");
	attribute(svg, "d", path);
	class_and_tooltip(svg, class_name, tooltip);
	end(svg);
}

void svg_text(struct svg *svg, double x, double y, double size, const char *anchor, const char *class_name,
	      const char *text)
{
	start(svg, "text");
	number(svg, "x", x);
	number(svg, "y", y);
	if (size > 0)
		number(svg, "font-size", size);
	if (strcmp(anchor, "start") != 0)
		attribute(svg, "text-anchor", anchor);
	if (class_name)
		attribute(svg, "class", class_name);
	check(svg, xmlTextWriterWriteString(svg->writer, BAD_CAST text));
	end(svg);
}

void svg_stripes(struct svg *svg, const char *id, const char *ground, const char *stripe)
{
	start(svg, "pattern");
	attribute(svg, "id", id);
	attribute(svg, "patternUnits", "userSpaceOnUse");
	number(svg, "width", 6);
	number(svg, "height", 6);
	attribute(svg, "patternTransform", "rotate(45)");
	start(svg, "rect");
	number(svg, "width", 6);
	number(svg, "height", 6);
	attribute(svg, "fill", ground);
	end(svg);
	start(svg, "rect");
	number(svg, "width", 2);
	number(svg, "height", 6);
	attribute(svg, "fill", stripe);
	end(svg);
	end(svg);
}
