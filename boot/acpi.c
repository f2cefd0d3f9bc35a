/* SPDX-License-Identifier: MIT */
/* What ACPI tells of: buttons, batteries, fans, thermal zones. The root needs none of them. */
#include "internal.h"

#include <inorder/initcall.h>

static void find_acpi(void *data, async_cookie_t cookie)
{
	(void)data;
	(void)cookie;
	async_set_name("acpi_find");
	if (rest_wanted_late())
		device_find("/sys/devices/LNXSYSTM:00", MODULE_PROBE_ASYNC);
}

static int probe_acpi(void)
{
	async_schedule_domain(find_acpi, NULL, &rest_domain);
	return 0;
}
late_initcall(probe_acpi);
