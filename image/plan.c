/* SPDX-License-Identifier: MIT */
/* What build is to do: the configuration, then the command line, then what neither says. */
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int check(const struct request *request)
{
	if (!request->output && !request->list)
		return usage_error("no --output given", NULL);
	if (!archive_knows(request->compression))
		return usage_error("no such compression:", request->compression);
	if (!microcode_knows(request->microcode))
		return usage_error("--microcode is no, host or all, not", request->microcode);
	if (request->host && request->universal)
		return usage_error("--host is for this machine alone, --universal for any: take one", NULL);
	if (request->list && request->output && !strcmp(request->output, "-"))
		return usage_error("--list and the image cannot both go to standard output", NULL);
	return -1;
}

/* The configuration is for images of a machine: an image that options alone describe is the same everywhere. */
static int read_configuration(struct request *request, const struct request *asked)
{
	char *path = asked->config ? must(strdup(asked->config))
				   : text("%s/etc/inorder/image.conf", asked->sysroot ? asked->sysroot : "");
	int result = 0;

	if (asked->config && access(path, R_OK))
		result = fail("cannot read '%s': %s", path, strerror(errno));
	else if (asked->config || asked->host || asked->universal)
		result = conf_read(request, path);
	free(path);
	return result ? 1 : -1;
}

static void set_defaults(struct request *request)
{
	bool whole = request->host || request->universal;

	request->init = request->init ? request->init : INORDER_INIT;
	request->compression = request->compression ? request->compression : whole ? "zstd" : "none";
	request->sysroot = request->sysroot ? request->sysroot : "";
	if (!request->microcode)
		request->microcode = request->host ? "host" : request->universal ? "all" : "no";
	if (!request->modules.firmware.root)
		request->modules.firmware.root = "/lib/firmware";
	request->modules.firmware.summary = request->universal;
}

int request_parse(struct request *request, int argc, char **argv)
{
	struct request asked = {.output = NULL};
	int code = request_words(&asked, argc, argv);

	if (code < 0)
		code = read_configuration(request, &asked);
	request_free(&asked);
	if (code < 0)
		code = request_words(request, argc, argv); /* again: the command line overrides the configuration */
	if (code >= 0)
		return code;
	set_defaults(request);
	return check(request);
}
