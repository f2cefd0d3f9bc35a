/* SPDX-License-Identifier: MIT */
/* What --help and --version print. */
#include "internal.h"

#include <inorder/version.h>
#include <stdio.h>

static const char help[] =
	"Usage: inorder-image [build] [OPTION]... -o FILE\n"
	"       inorder-image ls [--json] IMAGE        what is in an image\n"
	"       inorder-image cat IMAGE PATH...        the content of files in it\n"
	"       inorder-image unpack IMAGE DIR         all of it, into a new folder\n"
	"       inorder-image diff [--json] A B        what is added, gone and changed from A to B\n"
	"       inorder-image check [--cmdline WORDS] [--json] [--sysroot DIR] [--tree DIR] IMAGE\n"
	"                                              can it reach this machine's root? names what lacks\n"
	"       inorder-image install [--try | --default] [--append WORDS]\n"
	"                                              hooks, images and entries beside the distribution's\n"
	"       inorder-image uninstall | status       removes them all; tells what there is\n"
	"Makes an initramfs: inorder-init as /init, kernel modules, programs, and what these need.\n"
	"\n"
	"  -o, --output FILE      write the image there: a file is replaced when all is well, a link is\n"
	"                         followed, a device, a pipe or - (standard output) is written to\n"
	"  -l, --list             print size and path of everything in the image; without -o nothing is written\n"
	"      --host             what this machine and its root need: drivers, programs, configuration, a shell\n"
	"      --universal        the drivers of any machine\n"
	"      --cmdline WORDS    the kernel's command line that names the root, if it is not the mounted one\n"
	"      --sysroot DIR      look for the machine's /sys, /proc, /etc and /dev below DIR\n"
	"      --config FILE      instead of /etc/inorder/image.conf\n"
	"  -t, --tree DIR         the kernel's modules, .../lib/modules/VERSION (default: the running kernel's)\n"
	"  -m, --add-module WANT  add a module: a name, a modalias, or a folder with a slash at its end\n"
	"                         (drivers/ata/); with '?' at the end it may be missing\n"
	"  -M, --modules FILE     add all modules that the file asks for, in the same words\n"
	"  -p, --add-program SPEC add a program, NAME or PATH or PATH:PLACE, with its libraries\n"
	"  -f, --add-file PATH[:PLACE]\n"
	"                         add a file, a link with what it leads to, or a device\n"
	"  -d, --add-dir PATH[:PLACE]\n"
	"                         add a folder with all that is in it\n"
	"  -O, --omit PATTERN     leave out: a module by name, or a path in the image with all below it\n"
	"      --firmware DIR     where the firmware is that modules name (default: /lib/firmware)\n"
	"      --microcode WHICH  of the processor: no, host (this one's), all (default: no;\n"
	"                         with --host: host, with --universal: all)\n"
	"  -s, --shell[=PROGRAM]  add a shell as /bin/sh, which is run when a boot fails (default: /bin/sh)\n"
	"  -i, --init PROGRAM     what becomes /init (default: " INORDER_INIT ")\n"
	"  -c, --compress NAME    none (the fastest to boot where the disk is fast), lz4, zstd, gzip, xz\n"
	"                         (default: none; with --host and --universal: zstd)\n"
	"      --try              install: boot it once, the next time\n"
	"      --default          install: the same, and again after every boot that has reached the login\n"
	"      --append WORDS     install: add words to the command line of its entries\n"
	"  -h, --help             print this\n"
	"  -V, --version          print the version\n"
	"\n"
	"Older names: --module, --program, --file.\n"
	"The same input gives the same bytes; files have the time SOURCE_DATE_EPOCH, or 0.\n"
	"Exit codes: 0 done, 1 it could not be done, 2 wrong usage; diff: 0 the same, 1 not,\n"
	"2 trouble; check: 0 it can, 1 something lacks, 2 trouble;\n"
	"status: 0 installed, 3 not.\n";

int help_print(bool all)
{
	fputs(all ? help : "inorder-image " INORDER_VERSION_STRING "\n", stdout);
	return 0;
}
