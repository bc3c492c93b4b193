/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The log of the daemon: see log.h.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"

static const char *log_who = "vcrypt";
static enum log_level log_max = LOG_NOTE;

void log_setup(const char *who, enum log_level level)
{
	log_who = who;
	log_max = level;
}

void log_line(enum log_level level, const char *fmt, ...)
{
	static const char *const names[] = { "error: ", "warning: ", "", "" };
	char line[512];
	va_list ap;
	size_t len, i;

	if (level > log_max)
		return;
	len = (size_t)snprintf(line, sizeof(line), "%s: %s", log_who,
			       names[level]);
	va_start(ap, fmt);
	vsnprintf(line + len, sizeof(line) - len - 1, fmt, ap);
	va_end(ap);
	len = strlen(line);
	for (i = 0; i < len; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
	line[len++] = '\n';
	/* A log that cannot be written must not stop the data path. */
	if (write(STDERR_FILENO, line, len) < 0)
		return;
}
