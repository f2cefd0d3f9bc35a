/* SPDX-License-Identifier: MIT */
/* Which modules the image has for an alias. libkmod has no threads: the callers take turns (modules.c has the lock). */
#ifndef BOOT_MODULE_INDEX_H
#define BOOT_MODULE_INDEX_H

#include <stdbool.h>

struct kmod_list;
struct kmod_module;

/** Return: the modules that answer to @alias, but for those that are not to be loaded; NULL: none. */
struct kmod_list *module_index_look_up(const char *alias);
/**
 * Call @load for each module that answers to @alias if @may allows its path and that of each that it is loaded with;
 * else for those of the latter that are allowed so.
 */
void module_index_hint(const char *alias, bool (*may)(const char *path), void (*load)(struct kmod_module *kmodule));
#endif
