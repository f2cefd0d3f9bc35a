/* SPDX-License-Identifier: MIT */
#ifndef CHART_OUTCOME_H
#define CHART_OUTCOME_H

#include "simulate.h"

/* What the last simulated change comes to. Returns the event at the end of the path; NO_EVENT: none is known. */
uint32_t outcome_find(const struct simulation *simulation, struct outcome *outcome);
#endif
