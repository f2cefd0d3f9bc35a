/* SPDX-License-Identifier: MIT */
#ifndef CHART_JSON_H
#define CHART_JSON_H

#include "chart.h"

/* A string with its quotes; null for NULL. @text: from keep(), so it is UTF-8. */
void json_text(FILE *file, const char *text);
/* null for NONE. */
void json_index(FILE *file, size_t index);
/* The model, docs/CHART.md describes it. 0 or -errno. */
int json_write(const struct model *model, const char *title, FILE *file);
/* The trace event format, which Perfetto and Chrome open. 0 or -errno. */
int perfetto_write(const struct model *model, const char *title, FILE *file);
#endif
