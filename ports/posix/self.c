/* SPDX-License-Identifier: MIT */
/* What each thread has of its own. */
#include "core.h"

__thread struct rob_thread port_thread;
__thread int port_tid;
