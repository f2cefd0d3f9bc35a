/* SPDX-License-Identifier: MIT */
/* What each thread has of its own. */
#include "rob.h"

__thread struct rob_thread port_thread;
__thread int port_tid;
__thread struct port_helper *port_apart;
