/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/* What the core calls the public header is the kernel's own here. */
#include <linux/async.h>
