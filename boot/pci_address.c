/* SPDX-License-Identifier: MIT */
/* Addresses of PCI: DOMAIN:BUS:DEVICE.FUNCTION, hexadecimal. */
#include "internal.h"

#include <stdio.h>
#include <string.h>

bool pci_parse(const char *address, unsigned int place[4])
{
	int end = 0;

	return sscanf(address, "%x:%2x:%2x.%1x%n", &place[0], &place[1], &place[2], &place[3], &end) == 4 && end &&
	       !address[end];
}

int pci_compare(const char *one, const char *other)
{
	unsigned int places[2][4];

	if (!pci_parse(one, places[0]) || !pci_parse(other, places[1]))
		return strcmp(one, other);
	for (int i = 0; i < 4; i++)
		if (places[0][i] != places[1][i])
			return places[0][i] < places[1][i] ? -1 : 1;
	return 0;
}
