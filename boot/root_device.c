/* SPDX-License-Identifier: MIT */
/* Which block devices can be the root, and what is reported when there is none. */
#include "root_device.h"

#include "devices.h"
#include "internal.h"
#include "root_choice.h"

#include <inorder/initcall.h>
#include <stdatomic.h>
#include <string.h>

static struct root_spec spec;
static atomic_bool accept_incomplete;

const char *root_parse(void)
{
	if (!root_spec_parse(cmdline.root, &spec))
		return spec.refusal;
	facts_want_for(&spec);
	return NULL;
}

const struct root_spec *root_wanted(void)
{
	return &spec;
}

/* PARTNROFF: the partition so many after the one that has the id. Return: false if there is none. */
static bool step_to_partition(struct facts *facts)
{
	const long number = (long)facts->partition + spec.offset;
	char disk[PATH_MAX], name[PATH_MAX + 8], device[64];

	path_print(disk, "/sys/dev/block/%u:%u/..", facts->major, facts->minor);
	if (facts->partition && number > 0 && block_partition(disk, (unsigned int)number, name, sizeof(name))) {
		path_print(device, "/dev/%s", name);
		return facts_read(device, facts) == 0;
	}
	complain("root: %s has the id, but no partition %ld is on its disk, which PARTNROFF=%d asks for", facts->device,
		 number, spec.offset);
	return false;
}

/* A btrfs over several devices is there when all of them were looked at. */
static bool is_complete(const struct facts *facts)
{
	struct facts other;
	unsigned int members = 0;
	size_t at = 0;

	if (facts->members < 2)
		return true;
	while (devices_next("btrfs", &at, &other))
		members += !strcmp(other.uuid, facts->uuid);
	if (members < facts->members)
		say("root: %s: %u of %u devices of this btrfs are there", facts->device, members, facts->members);
	return members >= facts->members;
}

/* A device of device mapper is known to people, and to fstab, by its own name. */
static void use_known_name(struct facts *facts)
{
	char name[sizeof(facts->mapper) + 16];

	path_print(name, "/dev/mapper/%s", facts->mapper);
	if (*facts->mapper && strlen(name) < sizeof(facts->device) && file_exists(name))
		path_print(facts->device, "%s", name);
}

static void judge(const struct facts *facts)
{
	struct facts root = *facts;

	if (!strcmp(facts->type, "linux_raid_member"))
		raid_member_seen(facts->device, facts->uuid);
	if (facts_container(facts->type))
		root_wake(); /* what is inside may be the root */
	else if (facts_fit(facts, &spec) && (!spec.offset || step_to_partition(&root)) &&
		 (accept_incomplete || is_complete(&root))) {
		use_known_name(&root);
		choice_offer(&root, spec.kind == ROOT_NODE || spec.kind == ROOT_NUMBER);
	}
}

static int register_judge(void)
{
	if (!is_finisher())
		devices_judge(judge);
	return 0;
}
core_initcall(register_judge);

void root_look(bool wait)
{
	if (!is_finisher())
		devices_look(wait);
}

void root_look_for_all(void)
{
	facts_want(FACTS_ANY_TYPE);
	devices_look_again();
}

bool root_look_closely(void)
{
	accept_incomplete = true;
	facts_want(FACTS_PARTITION);
	root_look_for_all();
	return choice_end();
}

/* The nearest of what the devices have: "LABEL=root of /dev/sda1". */
static bool find_nearest(char *text, size_t room)
{
	size_t at = 0, least = SIZE_MAX;
	struct facts facts;

	while (devices_next(NULL, &at, &facts)) {
		const char *rival = facts_rival(&facts, &spec);
		const size_t distance = spelling_distance(spec.raw, rival);

		if (!spelling_is_near(spec.raw, rival) || distance >= least)
			continue;
		least = distance;
		path_print_room(text, room, "%s of %s", rival, facts.device);
	}
	return least != SIZE_MAX;
}

/* What one device is, for people. */
static void describe(const struct facts *facts, char *text, size_t room)
{
	const char *what = facts_container(facts->type);

	path_print_room(text, room, "%s (%s%s%s%s%s)", facts->device,
			what               ? what
			: *facts->type     ? facts->type
			: facts->partition ? "no file system known here"
					   : "no file system",
			*facts->label ? " LABEL=" : "", facts->label, *facts->mapper ? " of device mapper: " : "",
			facts->mapper);
}

void root_seen(char *text, size_t room)
{
	char one[512];
	size_t used = 0, at = 0;
	struct facts facts;

	path_print_room(text, room, "none");
	while (devices_next(NULL, &at, &facts) && used < room - 1) {
		describe(&facts, one, sizeof(one));
		path_print_room(text + used, room - used, "%s%s", used ? ", " : "", one);
		used += strlen(text + used);
	}
}

void root_advice(char *text, size_t room)
{
	struct facts facts;
	char nearest[512];
	size_t at = 0;

	while (devices_next(NULL, &at, &facts))
		if (facts_fit(&facts, &spec) && facts_container(facts.type)) {
			path_print_room(text, room, "%s fits, but it is %s: root= names what is inside", facts.device,
					facts_container(facts.type));
			return;
		}
	if (find_nearest(nearest, sizeof(nearest)))
		path_print_room(text, room, "Was %s meant?", nearest);
	else
		path_print_room(text, room, "Is root= right, and are the drivers of the disk in the image?");
}
