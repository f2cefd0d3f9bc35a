/* SPDX-License-Identifier: MIT */
#ifndef BOOT_MODULE_FILE_H
#define BOOT_MODULE_FILE_H

#include <stdbool.h>
#include <stddef.h>

/** Return: the bytes of a module without the signature at its end; @bytes if it has none. */
size_t module_file_unsigned(const void *file, size_t bytes);
/**
 * False if the only devices that the module names are kinds of processors, and @processor, the modalias of the one
 * that is there, is none of them: then its load can but fail.
 */
bool module_file_is_for(const void *file, size_t bytes, const char *processor);
#endif
