/* SPDX-License-Identifier: MIT */
/*
 * From an address to a name, by the dynamic symbol tables in memory.
 *
 * Not dladdr(): glibc's takes the lock that dlopen() holds while constructors run. A constructor that waits
 * for its async calls would then wait for ever as soon as those calls are traced. dl_iterate_phdr() takes
 * the lock of the list only, which is never held while foreign code runs. It also keeps the object mapped.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "symbol.h"
#include "trace.h"

/* The parts of an object's dynamic section that lead to its symbols. */
struct tables {
	const ElfW(Sym) * symbols;
	const char *names;
	const uint32_t *gnu_hash;
	const uint32_t *sysv_hash;
};

struct search {
	uintptr_t address;
	struct symbol *found;
};

const char *symbol_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	/* Covered by chance: a path that ends in a slash: the loader gives none */
	return slash && slash[1] ? slash + 1 : path;
}

static bool contains(const struct dl_phdr_info *info, uintptr_t address)
{
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
		uintptr_t start = info->dlpi_addr + segment->p_vaddr;

		if (segment->p_type == PT_LOAD && address >= start && address - start < segment->p_memsz)
			return true;
	}
	return false;
}

/* Some loaders relocate the dynamic section in place, some leave it as it is in the file. */
static const void *table(const struct dl_phdr_info *info, uintptr_t pointer)
{
	uintptr_t address = pointer < info->dlpi_addr ? info->dlpi_addr + pointer : pointer;

	return (const void *)address; // NOLINT: an address that the loader gave
}

static void read_dynamic(const struct dl_phdr_info *info, struct tables *tables)
{
	const ElfW(Dyn) *entry = NULL;

	for (size_t i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
			entry = (const ElfW(Dyn) *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
	for (; entry && entry->d_tag != DT_NULL; entry++) { /* covered by chance: none in a static program */
		const void *pointer = table(info, entry->d_un.d_ptr);

		switch (entry->d_tag) {
		case DT_SYMTAB:
			tables->symbols = pointer;
			break;
		case DT_STRTAB:
			tables->names = pointer;
			break;
		case DT_GNU_HASH:
			tables->gnu_hash = pointer;
			break;
		case DT_HASH:
			tables->sysv_hash = pointer;
			break;
		default:
			break;
		}
	}
}

/* The symbol table does not have its length; the hash tables do. */
static size_t count_symbols(const struct tables *tables)
{
	const uint32_t *hash = tables->gnu_hash;
	const uint32_t *buckets;
	const uint32_t *chain;
	uint32_t last = 0;

	if (tables->sysv_hash)
		return tables->sysv_hash[1];
	/* Covered by chance: Debian's linker makes both kinds for every object */
	if (!hash)
		return 0;
	buckets = hash + 4 + hash[2] * (sizeof(ElfW(Addr)) / sizeof(uint32_t));
	chain = buckets + hash[0];
	for (uint32_t i = 0; i < hash[0]; i++)
		if (buckets[i] > last)
			last = buckets[i];
	/* Covered by chance: Debian's linker makes both kinds for every object */
	if (last < hash[1])
		return 0;
	while (!(chain[last - hash[1]] & 1))
		last++;
	return (size_t)last + 1;
}

static bool covers(const ElfW(Sym) * symbol, uintptr_t offset)
{
	unsigned int type = symbol->st_info & 15u; /* the same for 32 and 64 bits */

	if (symbol->st_shndx == SHN_UNDEF || (type != STT_FUNC && type != STT_OBJECT && type != STT_GNU_IFUNC))
		return false;
	/* Covered by chance: an address before every symbol of its object */
	return offset == symbol->st_value || (offset > symbol->st_value && offset - symbol->st_value < symbol->st_size);
}

static void find_in_object(const struct dl_phdr_info *info, uintptr_t address, struct symbol *found)
{
	struct tables tables = {NULL, NULL, NULL, NULL};
	uintptr_t offset = address - info->dlpi_addr;
	size_t count;

	found->offset = offset;
	read_dynamic(info, &tables);
	/* Covered by chance: as in read_dynamic() */
	count = tables.symbols && tables.names ? count_symbols(&tables) : 0;
	for (size_t i = 1; i < count; i++) {
		const ElfW(Sym) *symbol = &tables.symbols[i];

		if (!covers(symbol, offset))
			continue;
		snprintf(found->name, sizeof(found->name), "%s", tables.names + symbol->st_name);
		found->offset = offset - symbol->st_value;
		found->size = symbol->st_size;
		return;
	}
}

/* Does not change, and asking takes longer than all the rest. */
static char program[sizeof(((struct symbol *)0)->object)];
static pthread_once_t program_once = PTHREAD_ONCE_INIT;

static void program_find(void)
{
	ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);

	/* Not covered: without /proc */
	if (length > 0)
		program[length] = 0;
	else
		/* Not covered: without /proc */
		snprintf(program, sizeof(program), "%s", program_invocation_name);
}

const char *symbol_program(void)
{
	pthread_once(&program_once, program_find);
	return program;
}

static int visit(struct dl_phdr_info *info, size_t size, void *data)
{
	struct search *search = data;
	/* Covered by chance: glibc gives the program an empty name, not none; musl this one, where it is static */
	bool named = info->dlpi_name && info->dlpi_name[0] && strcmp(info->dlpi_name, "/proc/self/exe");

	(void)size;
	if (!contains(info, search->address))
		return 0;
	snprintf(search->found->object, sizeof(search->found->object), "%s",
		 named ? info->dlpi_name : symbol_program());
	find_in_object(info, search->address, search->found);
	return 1;
}

void symbol_find(uintptr_t address, struct symbol *symbol)
{
	struct search search = {address, symbol};

	symbol->object[0] = 0;
	symbol->name[0] = 0;
	symbol->offset = address;
	symbol->size = 0;
	dl_iterate_phdr(visit, &search);
}

void port_symbol(async_func_t func, char *text, size_t bytes)
{
	struct symbol symbol;
	int saved = errno;

	symbol_find((uintptr_t)func, &symbol);
	if (symbol.name[0])
		snprintf(text, bytes, "%s+0x%zx/0x%zx", symbol.name, (size_t)symbol.offset, (size_t)symbol.size);
	else if (symbol.object[0])
		snprintf(text, bytes, "%s+0x%zx", symbol_base(symbol.object), (size_t)symbol.offset);
	else
		snprintf(text, bytes, "0x%zx", (size_t)symbol.offset);
	errno = saved;
}
