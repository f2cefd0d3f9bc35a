/* SPDX-License-Identifier: MIT */
/*
 * What "systemctl show" tells of systemd itself, and "systemctl show '*'" of its units: a property a line, KEY=VALUE.
 * Of a unit's properties "Id" comes before those that are read here, but for those of its processes. Times are microseconds of CLOCK_MONOTONIC, but
 * those of the firmware and the loader say how long before the kernel they began. "BootID=" is no property: who saves
 * them adds it, so that they are not drawn beside the trace of another boot.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "klog.h"

#define USECS_DIGITS 15 /* 31 years */
#define NSECS_DIGITS 18

#define OF_SYSTEMD(key, member) \
	{ \
		key "TimestampMonotonic", offsetof(struct systemd, member) \
	}
#define OF_UNIT(key, member) \
	{ \
		key "TimestampMonotonic", offsetof(struct unit, member) \
	}

struct property {
	const char *key;
	size_t offset;
};

static const struct property of_systemd[] = {
	OF_SYSTEMD("Firmware", firmware_ns),
	OF_SYSTEMD("Loader", loader_ns),
	OF_SYSTEMD("InitRD", initrd_ns),
	OF_SYSTEMD("Userspace", userspace_ns),
	OF_SYSTEMD("SecurityStart", security_ns[0]),
	OF_SYSTEMD("SecurityFinish", security_ns[1]),
	OF_SYSTEMD("GeneratorsStart", generators_ns[0]),
	OF_SYSTEMD("GeneratorsFinish", generators_ns[1]),
	OF_SYSTEMD("UnitsLoadStart", load_ns[0]),
	OF_SYSTEMD("UnitsLoadFinish", load_ns[1]),
};

static const struct property of_unit[] = {
	OF_UNIT("InactiveExit", activating_ns),
	OF_UNIT("ActiveEnter", active_ns),
	OF_UNIT("InactiveEnter", inactive_ns),
	OF_UNIT("Condition", condition_ns),
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *read_time(void *base, const struct property *property, const char *value)
{
	uint64_t *ns = (uint64_t *)(void *)((char *)base + property->offset);
	size_t digits = strspn(value, "0123456789");

	if (!digits || value[digits] || digits > USECS_DIGITS)
		return "a property of systemd that is no number of microseconds";
	*ns = strtoull(value, NULL, 10) * 1000;
	return NULL;
}

static const struct property *find(const struct property *properties, size_t count, const char *line, size_t bytes)
{
	for (size_t i = 0; i < count; i++)
		if (strncmp(properties[i].key, line, bytes) == 0 && !properties[i].key[bytes])
			return &properties[i];
	return NULL;
}

static bool is_container(const char *virtualization)
{
	static const char *const words[] = {"openvz",         "lxc", "lxc-libvirt", "systemd-nspawn", "docker",
					    "podman",         "rkt", "wsl",         "proot",          "pouch",
					    "container-other"};

	for (size_t i = 0; i < COUNT(words); i++)
		if (strcmp(words[i], virtualization) == 0)
			return true;
	return false;
}

static const char *begin_unit(struct input *input, const char *name)
{
	const char *dot = strrchr(name, '.');

	if (!dot || dot == name || !dot[1] || strchr(name, ' '))
		return "\"Id=\" without the name of a unit";
	input->next_unit.name = keep(name);
	*APPEND(input->units, input->unit_count) = input->next_unit;
	input->next_unit = (struct unit){0};
	return NULL;
}

/* No number, or the largest one, stands for a unit without accounting. */
static const char *read_cpu(struct unit *unit, const char *value)
{
	size_t digits = strspn(value, "0123456789");

	if (strcmp(value, "[not set]") == 0 || strcmp(value, "18446744073709551615") == 0)
		return NULL;
	if (!digits || value[digits] || digits > NSECS_DIGITS)
		return "a processor time of systemd that is no number of nanoseconds";
	unit->cpu_ns = strtoull(value, NULL, 10);
	return NULL;
}

static const char *read_text(struct unit *unit, const char *line, size_t bytes)
{
	const char *value = line + bytes + 1;

	if (strncmp(line, "Names=", bytes + 1) == 0)
		unit->names = keep(value);
	else if (strncmp(line, "After=", bytes + 1) == 0)
		unit->after = keep(value);
	else if (strncmp(line, "ActiveState=", bytes + 1) == 0)
		unit->failed = strcmp(value, "failed") == 0;
	return NULL;
}

bool parse_property(struct input *input, const char *line, const char **wrong)
{
	size_t bytes = 0;
	const struct property *property;

	while (isalnum((unsigned char)line[bytes]))
		bytes++;
	if (!isupper((unsigned char)line[0]) || line[bytes] != '=')
		return false;
	*wrong = NULL;
	property = find(of_systemd, COUNT(of_systemd), line, bytes);
	if (property) {
		*wrong = read_time(&input->systemd, property, line + bytes + 1);
		return true;
	}
	if (strncmp(line, "BootID=", bytes + 1) == 0) {
		input->units_boot = line[bytes + 1] ? keep(line + bytes + 1) : NULL;
		return true;
	}
	if (strncmp(line, "Virtualization=", bytes + 1) == 0) {
		input->systemd.container = is_container(line + bytes + 1);
		return true;
	}
	if (strncmp(line, "Id=", 3) == 0) {
		*wrong = begin_unit(input, line + 3);
		return true;
	}
	if (strncmp(line, "CPUUsageNSec=", bytes + 1) == 0) {
		*wrong = read_cpu(&input->next_unit, line + bytes + 1);
		return true;
	}
	if (strncmp(line, "Slice=", bytes + 1) == 0) {
		input->next_unit.slice = keep(line + bytes + 1);
		return true;
	}
	if (!input->unit_count)
		return false;
	property = find(of_unit, COUNT(of_unit), line, bytes);
	if (property)
		*wrong = read_time(&input->units[input->unit_count - 1], property, line + bytes + 1);
	else
		*wrong = read_text(&input->units[input->unit_count - 1], line, bytes);
	return true;
}
