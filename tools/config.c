/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * vcrypt config: change what a container's header says about its use.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "backend/file.h"
#include "backend/lock.h"
#include "crypt/luks_config.h"
#include "crypt/unlock.h"
#include "lib/why.h"
#include "tools/command.h"
#include "tools/options.h"

static int change(int fd, bool allow, struct why *why)
{
	struct volume_info info;
	int err;

	err = image_lock(fd, false);
	if (err == -EBUSY)
		return why_set(why, err,
			       "is open, or in use by another vcrypt (vcrypt "
			       "list)");
	if (err)
		return why_set(why, err, "cannot be locked: %s",
			       strerror(-err));
	/* The header has been looked at in the sandbox before it is here. */
	err = volume_probe(&VOLUME_REQUEST(fd), &info, why);
	if (err)
		return err;
	if (strcmp(info.type, "LUKS2"))
		return why_set(why, -EINVAL,
			       "a %s header has no flags (use open "
			       "--allow-discards)",
			       info.type);
	if (info.allow_discards == allow)
		return 0;
	return luks_config_discards(fd, allow, why);
}

static int config(const char *path, bool allow, struct why *why)
{
	int fd, err;

	err = file_open(path, false, &fd, why);
	if (err)
		return err;
	err = change(fd, allow, why);
	if (err)
		why_prefix(why, "%s", path);
	close(fd);
	return err;
}

int cmd_config(int argc, char **argv)
{
	const char *flag = NULL;
	struct option_spec options[] = {
		{ "persistent", OPTION_STRING, &flag },
		{ NULL },
	};
	struct why why = { "" };
	bool allow;
	int err;

	if (options_parse(options, &argc, argv, &why))
		return command_misuse("config", &why);
	if (argc != 2 || !flag) {
		why_set(&why, 0, "one IMAGE and --persistent are needed");
		return command_misuse("config", &why);
	}
	allow = !strcmp(flag, "allow-discards");
	if (!allow && strcmp(flag, "no-allow-discards")) {
		why_set(&why, 0,
			"--persistent: \"allow-discards\" or "
			"\"no-allow-discards\", not \"%s\"",
			flag);
		return command_misuse("config", &why);
	}
	err = config(argv[1], allow, &why);
	return err ? command_fail(err, &why) : EXIT_OK;
}
