/* SPDX-License-Identifier: MIT */
#ifndef CHART_PNG_H
#define CHART_PNG_H

#include <stdio.h>

/* The picture in @svg, a file that can be read again, as PNG. 0 or -errno; what lacks is told on standard error. */
int png_write(FILE *svg, FILE *file);
#endif
