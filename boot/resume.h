/* SPDX-License-Identifier: MIT */
/* Hibernation. */
#ifndef BOOT_RESUME_H
#define BOOT_RESUME_H

/** Parse resume=, or what the image says instead of it. */
void resume_parse(void);
/** Resume a hibernated system if there is one. Returns if there is none, or if it may be lost. */
void resume_try(void);
#endif
