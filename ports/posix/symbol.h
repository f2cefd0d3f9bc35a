/* SPDX-License-Identifier: MIT */
/* From an address to the name of what stands there. */
#ifndef PORT_SYMBOL_H
#define PORT_SYMBOL_H

#include <stdint.h>

/* What is known of an address. The texts are copies: the object may be unloaded at any time. */
struct symbol {
	char object[256]; /* path of the program or library; "" if the address is in none */
	char name[128];   /* dynamic symbol; "" if there is none */
	uintptr_t offset; /* from the symbol's start; without a symbol, the address as the object's file numbers it */
	uintptr_t size;   /* of the symbol, bytes */
};

/* Fills in @symbol. Takes the loader's list lock (not the one that dlopen() holds while constructors run). No malloc.
 */
void symbol_find(uintptr_t address, struct symbol *symbol);

/* The program's path, as far as it can be known. */
const char *symbol_program(void);

/* The last component of a path. */
const char *symbol_base(const char *path);
#endif
