/* SPDX-License-Identifier: MIT */
/*
 * Logical volumes, by the distribution's own lvm. It is asked again whenever
 * more physical volumes are there; a volume that lacks some is left alone
 * until the wait for the root is over.
 */
#include "devices.h"
#include "internal.h"
#include "volumes.h"

#include <string.h>

#define LVM "/sbin/lvm"
/* No udev runs in the image, whatever the lvm.conf of the host says. */
#define NO_UDEV \
	"devices/obtain_device_list_from_udev=0 devices/external_device_info_source=\"none\" " \
	"activation/udev_sync=0 activation/udev_rules=0 activation/verify_udev_operations=0"

static const struct root_spec *activated_for; /* the last time; with so many physical volumes; and was it the last? */
static size_t activated;
static bool was_last;

/* Drivers of device mapper by the kind of volume; the kernel would ask modprobe, and the image has none. */
static const struct {
	const char *kind, *modules[3];
} drivers[] = {
	{"thin", {"dm_thin_pool"}},
	{"snapshot", {"dm_snapshot"}},
	{"mirror", {"dm_mirror", "dm_log"}},
	{"raid", {"dm_raid", "raid1", "raid456"}},
	{"cache", {"dm_cache", "dm_cache_smq"}},
	{"writecache", {"dm_writecache"}},
	{"integrity", {"dm_integrity"}},
};

static size_t count_members(void)
{
	struct facts facts;
	size_t at = 0;

	while (devices_next("LVM2_member", &at, &facts))
		;
	return at;
}

static int run(const char *command, const char *option, const char *more, const char *volume, char *output, size_t room)
{
	const char *const argv[] = {LVM,  command, "--config", NO_UDEV, "--sysinit", option, "--activationmode",
				    more, volume,  NULL};

	return process_run(argv, output, room);
}

static void load_drivers(void)
{
	const char *const argv[] = {LVM, "lvs", "--config", NO_UDEV, "--noheadings", "-a", "-o", "segtype", NULL};
	struct module_set set = {0};
	char output[4096];

	modules_request("dm_mod", MODULE_FOR_ROOT, &set);
	modules_wait(&set);
	if (process_run(argv, output, sizeof(output)) < 0)
		return; /* activation says why */
	for (size_t i = 0; i < sizeof(drivers) / sizeof(*drivers); i++)
		for (size_t j = 0; strstr(output, drivers[i].kind) && j < 3 && drivers[i].modules[j]; j++)
			modules_request(drivers[i].modules[j], MODULE_FOR_ROOT, &set);
	modules_wait(&set);
}

/* VG/LV if that is wanted; then only that is activated. */
static bool find_volume(const struct root_spec *spec, char *volume, size_t room)
{
	if (spec->kind == ROOT_VOLUME && !strncmp(spec->raw, "/dev/", 5)) {
		path_print_room(volume, room, "%s", spec->raw + 5);
		return true;
	}
	return spec->kind == ROOT_MAPPER && root_volume_name(spec->raw, volume, room);
}

/* Return: true if it was not tried with what is there. */
static bool is_worth_it(const struct root_spec *wanted, size_t members, bool last)
{
	const bool worth = members && (members != activated || wanted != activated_for || (last && !was_last));

	activated = members;
	activated_for = wanted;
	was_last |= last;
	return worth;
}

bool lvm_activate(const struct root_spec *wanted, enum volumes_when when)
{
	const size_t members = count_members();
	const char *mode = when == VOLUMES_LAST ? "degraded" : "complete";
	char volume[256], output[1024] = "";
	int status = -1;

	if (!is_worth_it(wanted, members, when == VOLUMES_LAST))
		return false;
	if (!file_exists(LVM)) {
		complain("lvm: %zu physical volumes of LVM are here, but the image has no " LVM, members);
		return false;
	}
	load_drivers();
	if (find_volume(wanted, volume, sizeof(volume)))
		status = run("lvchange", "-ay", mode, volume, output, sizeof(output));
	if (status) /* perhaps the root is on an encrypted volume, so all are needed */
		status = run("vgchange", "-ay", mode, NULL, output, sizeof(output));
	if (status && when == VOLUMES_LAST)
		complain("lvm: " LVM " vgchange -ay ended with %d: %s", status,
			 status < 0 ? strerror(-status) : output);
	else if (status)
		say("lvm: not yet: %s", output);
	return true;
}
