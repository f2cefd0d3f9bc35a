/* SPDX-License-Identifier: MIT */
/* Places of SCSI: HOST:CHANNEL:TARGET:LUN, decimal. */
#include "internal.h"

#include <stdio.h>

bool scsi_parse(const char *name, struct scsi_place *place)
{
	unsigned long long lun;
	int end = 0;

	if (sscanf(name, "%u:%u:%u:%llu%n", &place->host, &place->channel, &place->target, &lun, &end) != 4 ||
	    name[end])
		return false;
	place->lun = lun;
	return true;
}

static int compare_numbers(uint64_t one, uint64_t other)
{
	return one < other ? -1 : one > other;
}

int scsi_compare(const struct scsi_place *one, const struct scsi_place *other)
{
	int order = compare_numbers(one->host, other->host);

	if (!order)
		order = compare_numbers(one->channel, other->channel);
	if (!order)
		order = compare_numbers(one->target, other->target);
	return order ? order : compare_numbers(one->lun, other->lun);
}
