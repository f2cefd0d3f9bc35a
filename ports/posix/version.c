/* SPDX-License-Identifier: MIT */
/* The version of the library, for a program that was compiled with another. */
#include <inorder/version.h>

int async_version(void)
{
	return INORDER_VERSION;
}
