/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Completion for bash: functions with what the table of commands has, made
 * here, and after them the text below, which reads the command line.
 */
#include <stdio.h>
#include <string.h>

#include "tools/command.h"
#include "tools/complete.h"

/* The kinds of values, as the script names them. */
static const char *kind_name(enum value_kind kind)
{
	switch (kind) {
	case VALUE_FILE:
		return "file";
	case VALUE_FOLDER:
		return "folder";
	case VALUE_VOLUME:
		return "volume";
	case VALUE_VOLUME_OR_FILE:
		return "both";
	case VALUE_USER:
		return "user";
	case VALUE_USER_GROUP:
		return "group";
	case VALUE_NEW_VOLUME:
	case VALUE_OTHER:
		break;
	}
	return "other";
}

static void print_kind(enum value_kind kind, const char *words)
{
	if (words)
		printf("'words %s'", words);
	else
		printf("%s", kind_name(kind));
}

static int print_name(const struct option *opt, void *field, void *arg)
{
	printf("--%s ", opt->name);
	return 0;
}

static void print_command(const struct command *cmd)
{
	const struct argument *arg;

	printf("\t'%s')\n\t\toptions='", cmd->name);
	options_each(cmd->options, NULL, print_name, NULL);
	printf("--help'\n\t\targuments=(");
	for (arg = cmd->arguments; arg->name; arg++) {
		printf("%s", arg == cmd->arguments ? "" : " ");
		print_kind(arg->kind, arg->words);
	}
	printf(")\n\t\t;;\n");
}

static int print_value(const struct option *opt, void *field, void *arg)
{
	const struct command *const *cmd = arg;

	if (opt->type == OPTION_FLAG)
		return 0;
	printf("\t'%s --%s') value=", (*cmd)->name, opt->name);
	print_kind(opt->kind, opt->words);
	printf(" ;;\n");
	return 0;
}

/* The words that can follow "vcrypt", or one word of a family. */
static void print_families(void)
{
	const struct command *const *c, *const *member;
	const char *second;
	size_t len;

	for (c = commands; *c; c++) {
		if (!complete_second_word(*c, &len) || !complete_is_first(c))
			continue;
		printf("\t'%.*s') members='", (int)len, (*c)->name);
		for (member = c; *member; member++) {
			second = complete_second_word(*member, &len);
			if (member != c && complete_is_first(member))
				break;
			printf("%s%s", member == c ? "" : " ", second);
		}
		printf("' ;;\n");
	}
}

static const char script[] =
	"# _vcrypt_reply VALUE: what can stand here, as far as $cur says.\n"
	"_vcrypt_reply() {\n"
	"\tcase $1 in\n"
	"\tfile)\n"
	"\t\tcompopt -o filenames 2>/dev/null\n"
	"\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
	"\t\t;;\n"
	"\tfolder)\n"
	"\t\tcompopt -o filenames 2>/dev/null\n"
	"\t\tmapfile -t COMPREPLY < <(compgen -d -- \"$cur\")\n"
	"\t\t;;\n"
	"\tvolume)\n"
	"\t\tmapfile -t COMPREPLY < <(compgen -W \"$(\"$vcrypt\" list "
	"2>/dev/null |\n"
	"\t\t\tsed '1d; s/ .*//')\" -- \"$cur\")\n"
	"\t\t;;\n"
	"\tboth)\n"
	"\t\t_vcrypt_reply volume\n"
	"\t\tlocal -a volumes=(\"${COMPREPLY[@]}\")\n"
	"\t\t_vcrypt_reply file\n"
	"\t\tCOMPREPLY+=(\"${volumes[@]}\")\n"
	"\t\t;;\n"
	"\tuser) mapfile -t COMPREPLY < <(compgen -u -- \"$cur\") ;;\n"
	"\tgroup) mapfile -t COMPREPLY < <(compgen -g -- \"$cur\") ;;\n"
	"\twords*) mapfile -t COMPREPLY < <(compgen -W \"${1#words}\" -- "
	"\"$cur\") ;;\n"
	"\tesac\n"
	"}\n"
	"\n"
	"# The words up to the cursor, in $words, with --option=value as one: "
	"bash\n"
	"# makes three of it.\n"
	"_vcrypt_words() {\n"
	"\tlocal i word last=''\n"
	"\n"
	"\tfor ((i = 1; i <= COMP_CWORD; i++)); do\n"
	"\t\tword=${COMP_WORDS[i]}\n"
	"\t\tif [[ $last == --* && $word == '=' || $last == --*= ]]; then\n"
	"\t\t\twords[${#words[@]} - 1]=$last$word\n"
	"\t\telse\n"
	"\t\t\twords+=(\"$word\")\n"
	"\t\tfi\n"
	"\t\tlast=${words[${#words[@]} - 1]}\n"
	"\tdone\n"
	"}\n"
	"\n"
	"# Goes through the words behind the command's name: what was given, how "
	"many\n"
	"# arguments there are ($at), and whether a value comes next ($value).\n"
	"_vcrypt_walk() {\n"
	"\tlocal word\n"
	"\n"
	"\tfor word; do\n"
	"\t\tif [[ $value ]]; then\n"
	"\t\t\tvalue=\n"
	"\t\telif [[ ! $only && $word == -- ]]; then\n"
	"\t\t\tonly=1\n"
	"\t\telif [[ ! $only && $word == --* ]]; then\n"
	"\t\t\toptions=\" $options \"\n"
	"\t\t\toptions=${options/\" ${word%%=*} \"/ }\n"
	"\t\t\t[[ $word == *=* ]] || _vcrypt_value \"$command $word\"\n"
	"\t\telse\n"
	"\t\t\tat=$((at + 1))\n"
	"\t\tfi\n"
	"\tdone\n"
	"}\n"
	"\n"
	"# The option and its value are one word: --option=value.\n"
	"_vcrypt_joined() {\n"
	"\tlocal option=${cur%%=*}\n"
	"\n"
	"\t_vcrypt_value \"$command $option\"\n"
	"\tcur=${cur#*=}\n"
	"\t_vcrypt_reply \"$value\"\n"
	"\t[[ $COMP_WORDBREAKS == *=* ]] ||\n"
	"\t\tCOMPREPLY=(\"${COMPREPLY[@]/#/$option=}\")\n"
	"}\n"
	"\n"
	"_vcrypt() {\n"
	"\tlocal vcrypt=$1 cur command options='' value='' members='' only='' "
	"help='' at=0 n=1\n"
	"\tlocal -a words=() arguments=()\n"
	"\n"
	"\tCOMPREPLY=()\n"
	"\t_vcrypt_words\n"
	"\tcur=${words[${#words[@]} - 1]}\n"
	"\tunset 'words[${#words[@]} - 1]'\n"
	"\tif [[ ${words[0]-} == help ]]; then\n"
	"\t\thelp=1\n"
	"\t\twords=(\"${words[@]:1}\")\n"
	"\telif [[ ! ${words[0]-} ]]; then\n"
	"\t\toptions='help --help --version'\n"
	"\tfi\n"
	"\tcommand=${words[0]-}\n"
	"\tif [[ ! $command ]]; then\n"
	"\t\t_vcrypt_reply \"words $_vcrypt_commands $options\"\n"
	"\t\treturn\n"
	"\tfi\n"
	"\t_vcrypt_members \"$command\"\n"
	"\tif [[ $members && ! ${words[1]-} ]]; then\n"
	"\t\t_vcrypt_reply \"words $members\"\n"
	"\t\treturn\n"
	"\telif [[ $members ]]; then\n"
	"\t\tcommand+=\" ${words[1]}\"\n"
	"\t\tn=2\n"
	"\tfi\n"
	"\t[[ ! $help ]] || return 0\n"
	"\t_vcrypt_command \"$command\"\n"
	"\t_vcrypt_walk \"${words[@]:n}\"\n"
	"\tif [[ $value ]]; then\n"
	"\t\t_vcrypt_reply \"$value\"\n"
	"\telif [[ ! $only && $cur == --*=* ]]; then\n"
	"\t\t_vcrypt_joined\n"
	"\telif [[ ! $only && $cur == -* ]]; then\n"
	"\t\t_vcrypt_reply \"words $options\"\n"
	"\telse\n"
	"\t\t_vcrypt_reply \"${arguments[at]-}\"\n"
	"\tfi\n"
	"}\n"
	"\n"
	"complete -F _vcrypt vcrypt\n";

void complete_bash(void)
{
	const struct command *const *c, *cmd;
	size_t len;

	printf("# bash completion of vcrypt, made by \"vcrypt completion"
	       " bash\".\n\n_vcrypt_commands='");
	for (c = commands; *c; c++)
		if (complete_is_first(c)) {
			complete_second_word(*c, &len);
			printf("%.*s ", (int)len, (*c)->name);
		}
	printf("'\n\n# The second words of a family of commands.\n"
	       "_vcrypt_members() {\n\tcase $1 in\n");
	print_families();
	printf("\tesac\n}\n\n# Options and arguments of a command.\n"
	       "_vcrypt_command() {\n\tcase $1 in\n");
	for (c = commands; *c; c++)
		print_command(*c);
	printf("\tesac\n}\n\n# What the value of a command's option is; nothing:"
	       " it has none.\n_vcrypt_value() {\n\tcase $1 in\n");
	for (c = commands; *c; c++) {
		cmd = *c;
		options_each(cmd->options, NULL, print_value, &cmd);
	}
	printf("\tesac\n}\n\n%s", script);
}
