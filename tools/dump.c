/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * vcrypt dump: describe a container's header.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypt/unlock.h"
#include "lib/why.h"
#include "tools/command.h"
#include "tools/options.h"

static int dump(const char *path, enum volume_dump_format format,
		struct why *why)
{
	char *text;
	int fd, r;

	/* Not blocking: a FIFO is told apart later. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return why_set(why, -errno, "%s: %s", path, strerror(errno));
	r = volume_dump(&VOLUME_REQUEST(fd), format, &text, why);
	close(fd);
	if (r) {
		why_prefix(why, "%s", path);
		return r;
	}
	fputs(text, stdout);
	free(text);
	return 0;
}

int cmd_dump(int argc, char **argv)
{
	bool json = false;
	struct option_spec options[] = {
		{ "json", OPTION_FLAG, &json },
		{ NULL },
	};
	struct why why = { "" };
	int r;

	if (options_parse(options, &argc, argv, &why))
		return command_misuse("dump", &why);
	if (argc != 2) {
		why_set(&why, 0, "one IMAGE is needed");
		return command_misuse("dump", &why);
	}
	r = dump(argv[1], json ? VOLUME_DUMP_JSON : VOLUME_DUMP_TEXT, &why);
	return r ? command_fail(r, &why) : EXIT_OK;
}
