/* SPDX-License-Identifier: MIT */
/* What worked at each moment of the trace: of simulate.c alone. */
#ifndef CHART_LOAD_H
#define CHART_LOAD_H

#include "simulate.h"

#define BESIDE_WORKERS 10 /* that systemd-udevd has, and what units compute beside others is mostly its */

/* Gets work_ns, computed and processors ready for the simulation's change; nothing where no processors are shared. */
void load_record(struct simulation *simulation);
#endif
