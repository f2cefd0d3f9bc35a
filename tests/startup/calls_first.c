/* SPDX-License-Identifier: MIT */
/* Registered against the order of the levels, so that only sorting brings them into it. */
#include "calls.h"

CALL(first_late_sync) late_initcall_sync(first_late_sync);
CALL(first_late) late_initcall(first_late);
CALL(first_device_sync) device_initcall_sync(first_device_sync);
CALL(first_device) device_initcall(first_device);
CALL(first_device_too) device_initcall(first_device_too);
CALL(first_fs_sync) fs_initcall_sync(first_fs_sync);
CALL(first_fs) fs_initcall(first_fs);
CALL(first_subsys_sync) subsys_initcall_sync(first_subsys_sync);
CALL(first_subsys) subsys_initcall(first_subsys);
CALL(first_arch_sync) arch_initcall_sync(first_arch_sync);
CALL(first_arch) arch_initcall(first_arch);
CALL(first_postcore_sync) postcore_initcall_sync(first_postcore_sync);
CALL(first_postcore) postcore_initcall(first_postcore);
CALL(first_core_sync) core_initcall_sync(first_core_sync);
CALL(first_core) core_initcall(first_core);
