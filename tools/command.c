/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What commands have in common: see command.h.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/why.h"
#include "tools/command.h"
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

int command_misuse(const struct command *cmd, const struct why *why)
{
	fprintf(stderr, "vcrypt: %s: %s (vcrypt help %s)\n", cmd->name,
		why->text, cmd->name);
	return EXIT_PARAMETERS;
}

/* "one IMAGE is needed", "IMAGE and NAME are needed" */
static int wrong_number(const struct argument *args, int needed,
			struct why *why)
{
	char list[128] = "";
	size_t used = 0;
	int i;

	if (!args->name)
		return why_set(why, -EINVAL, "no argument is needed");
	if (needed < 2)
		return why_set(why, -EINVAL, "%s %s is needed",
			       needed ? "one" : "at most one", args->name);
	for (i = 0; i < needed && used < sizeof(list); i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used,
					 "%s%s",
					 !i		  ? ""
					 : i + 1 < needed ? ", "
							  : " and ",
					 args[i].name);
	return why_set(why, -EINVAL, "%s are needed", list);
}

static int check_argument(const struct argument *arg, const char *value,
			  struct why *why)
{
	if (arg->words)
		return option_check_word(arg->name, arg->words, value, why);
	if (arg->kind == VALUE_VOLUME || arg->kind == VALUE_NEW_VOLUME)
		return vduse_check_name(value, why);
	return 0;
}

int command_parse(const struct command *cmd, int argc, char **argv, void *args,
		  struct why *why)
{
	const struct argument *arg = cmd->arguments;
	int n, err, needed = 0;

	err = options_parse(cmd->options, args, &argc, argv, why);
	if (err)
		return err;
	for (n = 0; arg[n].name; n++)
		needed += !arg[n].optional;
	if (argc - 1 < needed || argc - 1 > n)
		return wrong_number(arg, needed, why);
	for (n = 0; !err && n < argc - 1; n++) {
		err = check_argument(&arg[n], argv[n + 1], why);
		*(const char **)((char *)args + arg[n].offset) = argv[n + 1];
	}
	return err ? -EINVAL : 0;
}
