/* SPDX-License-Identifier: MIT */
/*
 * What names a device: the first line is a root=, the others are crypttab's. A refusal says why; what is understood
 * has a text; every text ends within its room; a device that fits is found by the same spelling again.
 */
#include "fuzz.h"
#include "root_spec.h"
#include "volumes.h"

static void check_spec(const char *text)
{
	struct root_spec spec, again;
	const bool parsed = root_spec_parse(text, &spec);

	HOLD(memchr(spec.refusal, 0, sizeof(spec.refusal)));
	HOLD(parsed == !*spec.refusal);
	if (!parsed)
		return;
	HOLD(memchr(spec.raw, 0, sizeof(spec.raw)) && memchr(spec.value, 0, sizeof(spec.value)));
	HOLD(spec.kind == ROOT_NUMBER || *spec.raw);
	HOLD(strlen(spec.value) <= strlen(spec.raw));
	HOLD(spec.offset >= -255 && spec.offset <= 255);
	HOLD(!spec.offset || spec.kind == ROOT_PARTUUID);
	HOLD(root_spec_parse(text, &again) && !memcmp(&spec, &again, sizeof(spec)));
}

/* A device that has every name of the spec fits it. */
static void check_fit(const char *text)
{
	char mapper[sizeof(((struct root_spec *)0)->raw) * 2];
	struct root_spec spec;
	struct root_facts facts;

	if (!root_spec_parse(text, &spec))
		return;
	root_mapper_name(spec.kind == ROOT_VOLUME ? spec.raw + 5 : spec.raw, mapper, sizeof(mapper));
	facts = (struct root_facts){
		.device = spec.raw,
		.major = spec.major,
		.minor = spec.minor,
		.uuid = spec.value,
		.label = spec.value,
		.partuuid = spec.value,
		.partlabel = spec.value,
		.mapper = spec.kind == ROOT_VOLUME ? mapper : spec.raw,
		.array = spec.raw,
		.links = spec.raw,
	};
	HOLD(root_spec_fits(&spec, &facts) || strchr(spec.raw, '\n'));
	HOLD(root_spec_rival(&spec, &facts));
}

static void check_crypttab(char *line)
{
	struct crypttab entry;

	if (!crypttab_parse(line, &entry))
		return;
	HOLD(*entry.refusal || (*entry.name && *entry.source));
	HOLD(memchr(entry.name, 0, sizeof(entry.name)) && memchr(entry.source, 0, sizeof(entry.source)));
	HOLD(memchr(entry.key, 0, sizeof(entry.key)) && memchr(entry.key_device, 0, sizeof(entry.key_device)));
	HOLD(memchr(entry.header, 0, sizeof(entry.header)) && memchr(entry.slot, 0, sizeof(entry.slot)));
	HOLD(memchr(entry.refusal, 0, sizeof(entry.refusal)));
	/* on a device of its own a file may have any name */
	HOLD(*entry.refusal || *entry.key_device || (strcmp(entry.key, "none") && strcmp(entry.key, "-")));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	size_t length;
	char *line = fuzz_line(&bytes, &count, &length);

	line[strcspn(line, "\n")] = '\0';
	check_spec(line);
	check_fit(line);
	free(line);
	while (count) {
		line = fuzz_line(&bytes, &count, &length);
		check_crypttab(line);
		free(line);
	}
	return 0;
}
