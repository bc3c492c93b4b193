/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The subcommands of vcrypt, one file each, and what they have in common.
 */
#ifndef TOOLS_COMMAND_H
#define TOOLS_COMMAND_H

struct option_spec;
struct why;

/* Exit codes, those of cryptsetup. */
enum {
	EXIT_OK = 0,
	EXIT_PARAMETERS = 1,
	EXIT_PERMISSION = 2, /* or a wrong passphrase */
	EXIT_MEMORY = 3,
	EXIT_DEVICE = 4, /* wrong device or file */
	EXIT_IN_USE = 5, /* exists or busy */
};

struct command {
	const char *name;
	/* argv[0] is the command's name; returns an exit code. */
	int (*run)(int argc, char **argv);
	const char *summary; /* for the list */
	const char *usage;   /* the arguments, in one line */
	const char *help;    /* the options, ready to print */
};

/* Ends with an entry without a name. */
extern const struct command commands[];

int cmd_close(int argc, char **argv);
int cmd_config(int argc, char **argv);
int cmd_dump(int argc, char **argv);
int cmd_format(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_open(int argc, char **argv);
int cmd_resize(int argc, char **argv);
int cmd_serve(int argc, char **argv);
int cmd_status(int argc, char **argv);

/*
 * The command line of a command that is for one open volume: its @options and
 * a NAME.  0 with @ret_name, which points into argv, or an exit code, with the
 * reason printed.
 */
int command_volume(struct option_spec *options, int argc, char **argv,
		   const char **ret_name);

/* Print "vcrypt: REASON" and return the exit code for @err (-errno). */
int command_fail(int err, const struct why *why);

/* The same for a wrong command line, with a hint at the help text. */
int command_misuse(const char *name, const struct why *why);

#endif
