/* SPDX-License-Identifier: MIT */
/* The keymap and the font of the machine, for whoever types a passphrase at it. */
#include "volumes.h"

#include "internal.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#define SCREEN "/dev/tty0"

static void load(const char *program, const char *file)
{
	const char *const argv[] = {program, "-C", SCREEN, file, NULL};
	char output[512];
	int status;

	if (access(file, R_OK) || access(SCREEN, R_OK | W_OK))
		return;
	status = process_run(argv, output, sizeof(output));
	if (status)
		complain("keyboard: %s %s ended with %d: %s", program, file, status,
			 status < 0 ? strerror(-status) : output);
}

static void load_both(void)
{
	load("/bin/setfont", "/etc/inorder/font");
	load("/bin/loadkeys", "/etc/inorder/keymap");
}

void keyboard_prepare(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, load_both);
}
