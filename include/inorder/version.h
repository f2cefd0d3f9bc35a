/* SPDX-License-Identifier: MIT */
/* inorder: which version this is, when a program is compiled and when it runs. */
#ifndef INORDER_VERSION_H
#define INORDER_VERSION_H

#include <inorder/async.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Of the headers, which the program was compiled with. */
#define INORDER_VERSION_MAJOR 0
#define INORDER_VERSION_MINOR 2
#define INORDER_VERSION_PATCH 0
#define INORDER_VERSION_STRING "0.2.0"

/** A version as one number that grows with it: 0.2.0 is 200, 1.12.3 is 11203. For #if, and for async_version(). */
#define INORDER_VERSION_NUMBER(major, minor, patch) ((major)*10000 + (minor)*100 + (patch))
#define INORDER_VERSION INORDER_VERSION_NUMBER(INORDER_VERSION_MAJOR, INORDER_VERSION_MINOR, INORDER_VERSION_PATCH)

/**
 * async_version() - the version of the library that runs
 *
 * The shared library may be newer than the headers, never older: INORDER_VERSION is what the program was compiled with.
 *
 * Return:   as INORDER_VERSION_NUMBER() makes it.
 * Context:  anywhere, also in a signal handler.
 * Ordering: none.
 * Source:   ours.
 */
INORDER_API int async_version(void);

#ifdef __cplusplus
}
#endif

#endif
