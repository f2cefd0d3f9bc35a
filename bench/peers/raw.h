/* SPDX-License-Identifier: MIT */
#ifndef RAW_H
#define RAW_H

/* What single operations of this machine cost; see docs/PERFORMANCE.md. */
void raw_costs(void);

#endif
