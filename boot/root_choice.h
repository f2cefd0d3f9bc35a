/* SPDX-License-Identifier: MIT */
/* Which of the devices that fit root= is the root. */
#ifndef BOOT_ROOT_CHOICE_H
#define BOOT_ROOT_CHOICE_H

#include "facts.h"

/** A device fits. @is_unique: no other one can. */
void choice_offer(const struct facts *facts, bool is_unique);
/** Every controller of storage has its calls now, so it can be waited for. */
void choice_begin(void);
/** Nothing is waited for any longer: what fits best of what was seen is the root. Return: false if nothing fits. */
bool choice_end(void);
/** The root, once it was chosen. Return: false if it was not yet. */
bool root_device(struct facts *root);
#endif
