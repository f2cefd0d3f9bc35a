/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/* What nasty.c and probes.c share. */
#ifndef NASTY_H
#define NASTY_H

#include <linux/printk.h>

extern char *what;
extern unsigned int n;

#define SAY(format, ...) pr_info("nasty: %s %s n=%u: " format "\n", IMPLEMENTATION, what, n, ##__VA_ARGS__)

void probes_begin(void);
/* Says what they have found. */
void probes_end(void);
unsigned long probes_free_pages(void);

#endif
