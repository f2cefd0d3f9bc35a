/* SPDX-License-Identifier: MIT */
/* A library without initcalls, between two parts. */
const char *part_b(void);
const char *between(void);
const char *between(void)
{
	return part_b();
}
