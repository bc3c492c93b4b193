/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * vcrypt config: change what a container's header says about its use.
 */
#include <errno.h>
#include <string.h>

#include "crypt/luks_config.h"
#include "crypt/unlock.h"
#include "lib/why.h"
#include "tools/command.h"
#include "tools/container.h"

static int change(int header_fd, bool allow, struct why *why)
{
	struct volume_info info;
	int err;

	/* The header has been looked at in the sandbox before it is here. */
	err = volume_probe(&VOLUME_HEADER(header_fd), &info, why);
	if (err)
		return err;
	if (strcmp(info.type, "LUKS2"))
		return why_set(why, -EINVAL,
			       "a %s header has no flags (use open "
			       "--allow-discards)",
			       info.type);
	if (info.allow_discards == allow)
		return 0;
	return luks_config_discards(header_fd, allow, why);
}

static int config(const struct container_paths *paths, bool allow,
		  struct why *why)
{
	struct container c;
	int err;

	err = container_open(paths, CONTAINER_CHANGE, &c, why);
	if (err)
		return err;
	err = change(c.header_fd, allow, why);
	if (err)
		why_prefix(why, "%s", container_header_path(paths));
	container_close(&c);
	return err;
}

struct config_args {
	struct container_paths paths;
	const char *flag;
};

static int run(int argc, char **argv)
{
	struct config_args args = { 0 };
	struct why why = { "" };
	int err;

	err = command_parse(&config_command, argc, argv, &args, &why);
	if (!err && !args.flag)
		err = why_set(&why, -EINVAL, "--persistent is needed");
	if (err)
		return command_misuse(&config_command, &why);
	err = config(&args.paths, !strcmp(args.flag, "allow-discards"), &why);
	return err ? command_fail(err, &why) : EXIT_OK;
}

static const struct option options[] = {
	{ .group = container_options,
	  .offset = offsetof(struct config_args, paths) },
	{ "persistent", OPTION_WORD, offsetof(struct config_args, flag), "FLAG",
	  "allow-discards: every open allows them; no-allow-discards: only "
	  "with open's option",
	  "allow-discards no-allow-discards" },
	{ NULL },
};

const struct command config_command = {
	.name = "config",
	.run = run,
	.summary = "change what a container's header says",
	.usage = "IMAGE --persistent FLAG [--header FILE]",
	.about =
		"The container is closed and LUKS2. No passphrase is needed.\n",
	.arguments = { { "IMAGE", offsetof(struct config_args, paths.image),
			 VALUE_FILE } },
	.options = options,
};
