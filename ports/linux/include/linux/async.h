/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/* The module's; in a kernel's tree its own file does this with CONFIG_ASYNC_INORDER. */
#include <linux/async_inorder.h>
