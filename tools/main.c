/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The vcrypt command: the table of subcommands, dispatch and help.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/secmem.h"
#include "lib/why.h"
#include "tools/command.h"

const struct command commands[] = {
	{ "format", cmd_format, "make a LUKS2 container",
	  "IMAGE [--size SIZE] [OPTION...]",
	  "IMAGE is a new file (--size is needed), an existing file or a block\n"
	  "device.\n\n"
	  "  --size SIZE            of the new file, header (16 MiB) included;\n"
	  "                         bytes, or with K, M, G, T\n"
	  "  --preallocate          allocate the blocks now\n"
	  "  --key-file FILE        read the passphrase from FILE, - is standard\n"
	  "                         input (whole, newlines included)\n"
	  "  --batch-mode           do not ask before overwriting\n"
	  "  --label TEXT           up to 47 bytes\n"
	  "  --uuid UUID            instead of a random one\n"
	  "  --sector-size BYTES    512, 1024, 2048, 4096 (default where it fits)\n"
	  "  --key-size BITS        256 or 512 (default)\n"
	  "  --cipher CIPHER        aes-xts-plain64 (default) or aes-xts-plain\n"
	  "  --pbkdf KIND           argon2id (default), argon2i, pbkdf2\n"
	  "  --pbkdf-memory KIB     memory for Argon2\n"
	  "  --pbkdf-parallel N     threads for Argon2\n"
	  "  --iter-time MS         how long an unlock shall take (2000)\n"
	  "  --pbkdf-force-iterations N  instead of measuring\n" },
	{ "open", cmd_open, "serve a container as a block device",
	  "IMAGE NAME [OPTION...]",
	  "Prints the path of the block device (/dev/vdX).\n\n"
	  "  --readonly             do not allow writing\n"
	  "  --key-file FILE        read the passphrase from FILE, - is standard\n"
	  "                         input (whole, newlines included)\n"
	  "  --queues N             1 to 32; default: the number of CPUs, at\n"
	  "                         most 8\n"
	  "  --queue-size N         entries of a queue: a power of two, 4 to\n"
	  "                         1024 (256)\n"
	  "  --ring FORMAT          split (default) or packed\n"
	  "  --driver DRIVER        virtio-vdpa (default): a block device;\n"
	  "                         vhost-vdpa: for a program, /dev/vhost-vdpa-N\n"
	  "  --vhost-user PATH      no block device: a socket for a virtual machine\n"
	  "  --socket-mode MODE     its rights, octal (0600)\n"
	  "  --socket-group GROUP   its group\n"
	  "  --cache MODE           direct (default where it works) or buffered\n"
	  "  --allow-discards       free the image's blocks that the file system\n"
	  "                         on it gives back; shows which ones are used\n"
	  "  --user NAME            whom the data path runs as\n"
	  "  --death-limit N        give up when N workers died within a minute:\n"
	  "                         1 to 100 (5)\n"
	  "  --foreground           stay until the volume is closed\n" },
	{ "close", cmd_close, "take the block device away again",
	  "NAME [--force]",
	  "  --force                even if it is in use or cannot be flushed:\n"
	  "                         what is not yet written is lost\n" },
	{ "serve", cmd_serve, "serve a container to a virtual machine",
	  "IMAGE --socket PATH [OPTION...]",
	  "Speaks vhost-user-blk on a UNIX socket, in the foreground, for a front\n"
	  "end such as QEMU. Needs no privileges and nothing of the kernel. Ends\n"
	  "at SIGTERM or SIGINT, when what was begun is done.\n\n"
	  "  --socket PATH          make this socket and listen on it\n"
	  "  --socket-mode MODE     its rights, octal (0600)\n"
	  "  --socket-group GROUP   its group\n"
	  "  --fd N                 instead: a socket that listens already\n"
	  "  --readonly             do not allow writing\n"
	  "  --key-file FILE        read the passphrase from FILE, - is standard\n"
	  "                         input (whole, newlines included)\n"
	  "  --queues N             1 to 32, at most; default: the number of CPUs,\n"
	  "                         at most 8\n"
	  "  --queue-size N         the longest queue: a power of two, 4 to 1024\n"
	  "                         (256)\n"
	  "  --cache MODE           direct (default where it works) or buffered\n"
	  "  --allow-discards       free the image's blocks that the file system\n"
	  "                         on it gives back; shows which ones are used\n"
	  "  --user NAME            whom the data path runs as, for root\n"
	  "  --death-limit N        give up when N workers died within a minute:\n"
	  "                         1 to 100 (5)\n" },
	{ "resize", cmd_resize, "change the size of an open volume",
	  "NAME [--size SIZE]",
	  "Without an option it becomes what the image has room for now.\n\n"
	  "  --size SIZE            of the image file, header included; bytes, or\n"
	  "                         with K, M, G, T. A smaller one cuts the data\n"
	  "                         off, if the device is not in use\n" },
	{ "status", cmd_status, "tell all about open volumes",
	  "[NAME] [--json]", "  --json                 as JSON\n" },
	{ "list", cmd_list, "list the open volumes", "[--json]",
	  "  --json                 as JSON\n" },
	{ "config", cmd_config, "change what a container's header says",
	  "IMAGE --persistent FLAG",
	  "The container is closed and LUKS2. No passphrase is needed.\n\n"
	  "  --persistent FLAG      allow-discards: every open allows them;\n"
	  "                         no-allow-discards: only with open's option\n" },
	{ "dump", cmd_dump, "describe a container's header", "IMAGE [--json]",
	  "  --json                 the metadata as JSON\n" },
	{ NULL },
};

static const struct command *find(const char *name)
{
	const struct command *c;

	for (c = commands; c->name; c++)
		if (!strcmp(c->name, name))
			return c;
	return NULL;
}

static int help_all(FILE *f)
{
	const struct command *c;

	fprintf(f, "usage: vcrypt COMMAND ...\n\n");
	for (c = commands; c->name; c++)
		fprintf(f, "  %-8s %s\n", c->name, c->summary);
	fprintf(f, "  %-8s %s\n", "help", "explain a command");
	fprintf(f, "\nvcrypt help COMMAND tells more, vcrypt --version the"
		   " version.\n");
	return f == stdout ? EXIT_OK : EXIT_PARAMETERS;
}

static int help_one(const struct command *c)
{
	printf("usage: vcrypt %s %s\n\n%s.\n\n%s", c->name, c->usage,
	       c->summary, c->help);
	return EXIT_OK;
}

static int unknown(const char *name)
{
	struct why why;

	why_set(&why, 0, "%s: unknown command (vcrypt --help)", name);
	fprintf(stderr, "vcrypt: %s\n", why.text);
	return EXIT_PARAMETERS;
}

/* "--help" among the options of a command. */
static int asks_for_help(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--"); i++)
		if (!strcmp(argv[i], "--help"))
			return 1;
	return 0;
}

static int help(int argc, char **argv)
{
	const struct command *c;

	if (argc < 2)
		return help_all(stdout);
	c = find(argv[1]);
	return c ? help_one(c) : unknown(argv[1]);
}

static int dispatch(int argc, char **argv)
{
	const struct command *c;

	if (argc < 1)
		return help_all(stderr);
	if (!strcmp(argv[0], "--version")) {
		printf("vcrypt %s\n", VCRYPT_VERSION);
		return EXIT_OK;
	}
	if (!strcmp(argv[0], "help") || !strcmp(argv[0], "--help"))
		return help(argc, argv);
	c = find(argv[0]);
	if (!c)
		return unknown(argv[0]);
	if (asks_for_help(argc, argv))
		return help_one(c);
	return c->run(argc, argv);
}

int main(int argc, char **argv)
{
	int code;

	/* Whatever a command does, keys and passphrases stay in it. */
	secmem_protect_process();
	/* A file-size limit is an error of a call, not the end. */
	signal(SIGXFSZ, SIG_IGN);
	code = dispatch(argc - 1, argv + 1);
	/* Output that went nowhere is no success. */
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "vcrypt: standard output: write error\n");
		return code ? code : EXIT_DEVICE;
	}
	return code;
}
