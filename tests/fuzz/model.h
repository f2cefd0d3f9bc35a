/* SPDX-License-Identifier: MIT */
#ifndef TESTS_FUZZ_MODEL_H
#define TESTS_FUZZ_MODEL_H

#include "chart.h"

/*
 * Makes of the records what the chart shows, in every form, and checks it. @draw: also the picture, which takes long.
 */
void check_chart(struct input *input, bool picture);
#endif
