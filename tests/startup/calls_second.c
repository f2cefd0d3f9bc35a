/* SPDX-License-Identifier: MIT */
#include "calls.h"

CALL(second_late) late_initcall(second_late);
CALL(second_device) device_initcall(second_device);
CALL(second_core) core_initcall(second_core);
