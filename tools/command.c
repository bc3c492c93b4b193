/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What commands have in common: see command.h.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/why.h"
#include "tools/command.h"
#include "tools/options.h"
#include "vduse/control.h"

static int exit_code(int err)
{
	switch (-err) {
	case 0:
		return EXIT_OK;
	case EPERM:
	case EACCES:
		return EXIT_PERMISSION;
	case ENOMEM:
		return EXIT_MEMORY;
	case EEXIST:
	case EBUSY:
		return EXIT_IN_USE;
	case EDOM: /* a value that is not possible */
	case ECANCELED:
	case ENOTTY:
		return EXIT_PARAMETERS;
	default:
		return EXIT_DEVICE;
	}
}

int command_fail(int err, const struct why *why)
{
	fprintf(stderr, "vcrypt: %s\n",
		why->text[0] ? why->text : strerror(-err));
	return exit_code(err);
}

int command_misuse(const char *name, const struct why *why)
{
	fprintf(stderr, "vcrypt: %s: %s (vcrypt help %s)\n", name, why->text,
		name);
	return EXIT_PARAMETERS;
}

int command_volume(struct option_spec *options, int argc, char **argv,
		   const char **ret_name)
{
	struct why why = { "" };
	int err = options_parse(options, &argc, argv, &why);

	if (!err && argc != 2)
		err = why_set(&why, -EINVAL, "one NAME is needed");
	if (!err)
		err = vduse_check_name(argv[1], &why);
	if (err)
		return command_misuse(argv[0], &why);
	*ret_name = argv[1];
	return 0;
}
