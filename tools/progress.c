/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * How far a long job has come: see progress.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/clock.h"
#include "tools/progress.h"
#include "tools/volumes.h"

#define FIRST_MS    500	 /* a job that is faster shows no bar */
#define BAR_MS	    200	 /* from one bar to the next */
#define JSON_MS	    1000 /* from one line to the next */
#define RATE_MS	    200	 /* the shortest time that a rate is taken of */
#define RATE_MEMORY 4000 /* ms that the rate remembers */
#define COLUMNS	    80	 /* of a terminal that does not say */

const struct option progress_options[] = {
	{ "progress", OPTION_WORD, offsetof(struct progress_args, format),
	  "FORMAT",
	  "json: a line each second on standard output; none; default: a bar, "
	  "on a terminal",
	  "json none" },
	{ NULL },
};

void progress_init(struct progress *p, enum progress_mode mode,
		   const char *what, uint64_t done, uint64_t total,
		   int64_t now_ms)
{
	*p = (struct progress){
		.mode = mode,
		.what = what,
		.done = done,
		.total = total,
		.start_ms = now_ms,
		.now_ms = now_ms,
		.shown_ms = mode == PROGRESS_BAR ? now_ms + FIRST_MS - BAR_MS
						 : now_ms,
		.rate_done = done,
		.rate_ms = now_ms,
	};
}

/* A mean of the latest seconds, in which older ones count less. */
static void measure(struct progress *p)
{
	int64_t ms = p->now_ms - p->rate_ms;
	uint64_t bytes = p->done - p->rate_done;
	double rate;

	if (ms < RATE_MS)
		return;
	rate = (double)bytes * 1000 / (double)ms;
	p->rate += p->rate > 0 ? (rate - p->rate) * (double)ms /
					 (double)(ms + RATE_MEMORY)
			       : rate;
	p->rate_done = p->done;
	p->rate_ms = p->now_ms;
}

bool progress_advance(struct progress *p, uint64_t done, int64_t now_ms)
{
	int64_t pause = p->mode == PROGRESS_BAR ? BAR_MS : JSON_MS;

	p->done = done < p->total ? done : p->total;
	if (p->done < p->rate_done)
		p->rate_done = p->done;
	p->now_ms = now_ms;
	measure(p);
	if (p->mode == PROGRESS_NONE || now_ms - p->shown_ms < pause)
		return false;
	p->shown_ms = now_ms;
	return true;
}

/* Seconds until the end, rounded up; -1: not known. */
static int64_t seconds_left(const struct progress *p)
{
	double left = (double)(p->total - p->done);

	if (p->done == p->total)
		return 0;
	if (p->rate <= 0 || left / p->rate > 359999)
		return -1;
	return (int64_t)(left / p->rate) + 1;
}

/* "1:02:03", "4:05" */
static void time_text(int64_t seconds, char *buf, size_t len)
{
	int64_t h = seconds / 3600, m = seconds / 60 % 60, s = seconds % 60;

	if (h)
		snprintf(buf, len, "%" PRId64 ":%02" PRId64 ":%02" PRId64, h, m,
			 s);
	else
		snprintf(buf, len, "%" PRId64 ":%02" PRId64, m, s);
}

/* The share that is done, of @of; all of it only at the end. */
static unsigned int share(const struct progress *p, unsigned int of)
{
	if (p->done == p->total)
		return of;
	return (unsigned int)((double)p->done / (double)p->total * of);
}

/* What stands behind the bar: amounts, rate, time. */
static void bar_figures(const struct progress *p, char *buf, size_t len)
{
	char done[16], total[16], rate[16], left[32];
	int64_t seconds = seconds_left(p);

	volume_size_text(p->done, done);
	volume_size_text(p->total, total);
	volume_size_text((uint64_t)p->rate, rate);
	if (p->done == p->total)
		time_text((p->now_ms - p->start_ms) / 1000, left, sizeof(left));
	else if (seconds < 0)
		snprintf(left, sizeof(left), "?");
	else
		time_text(seconds, left, sizeof(left));
	snprintf(buf, len, "%s of %s, %s/s, %s%s", done, total, rate, left,
		 p->done == p->total ? "" : " left");
}

void progress_bar(const struct progress *p, size_t columns, char *buf,
		  size_t len)
{
	char head[64], tail[128];
	size_t room, width, full;

	snprintf(head, sizeof(head), "%s %3u%% ", p->what, share(p, 100));
	bar_figures(p, tail, sizeof(tail));
	room = columns < len - 1 ? columns : len - 1;
	/* Brackets, a space, and ten characters at least. */
	if (strlen(head) + strlen(tail) + 13 > room) {
		snprintf(buf, room + 1, "%s%s", head, tail);
		return;
	}
	width = room - strlen(head) - strlen(tail) - 3;
	full = share(p, (unsigned int)width);
	snprintf(buf, len, "%s[%*s] %s", head, (int)width, "", tail);
	memset(buf + strlen(head) + 1, '=', full);
}

void progress_json(const struct progress *p, char *buf, size_t len)
{
	int64_t seconds = seconds_left(p);
	char left[24] = "null";

	if (seconds >= 0)
		snprintf(left, sizeof(left), "%" PRId64, seconds);
	snprintf(buf, len,
		 "{\"job\":\"%s\",\"done\":%" PRIu64 ",\"total\":%" PRIu64
		 ",\"bytes_per_second\":%" PRIu64 ",\"seconds\":%" PRId64
		 ",\"seconds_left\":%s}",
		 p->what, p->done, p->total, (uint64_t)p->rate,
		 (p->now_ms - p->start_ms) / 1000, left);
}

static size_t terminal_columns(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) || !size.ws_col)
		return COLUMNS;
	return size.ws_col;
}

/* The bar takes the place of the last one. */
static void show_bar(struct progress *p)
{
	char line[PROGRESS_LINE_MAX];
	size_t width;

	/* Not the last column: some terminals would go to the next line. */
	progress_bar(p, terminal_columns() - 1, line, sizeof(line));
	width = strlen(line);
	fprintf(stderr, "\r%s%*s", line,
		p->width > width ? (int)(p->width - width) : 0, "");
	fflush(stderr);
	p->width = width;
}

static void show(struct progress *p)
{
	char line[PROGRESS_LINE_MAX];

	if (p->mode == PROGRESS_BAR) {
		show_bar(p);
		return;
	}
	progress_json(p, line, sizeof(line));
	printf("%s\n", line);
	fflush(stdout);
}

void progress_start(struct progress *p, const struct progress_args *args,
		    const char *what, uint64_t done, uint64_t total)
{
	enum progress_mode mode = PROGRESS_NONE;

	if (args->format)
		mode = strcmp(args->format, "json") ? PROGRESS_NONE
						    : PROGRESS_JSON;
	else if (isatty(STDERR_FILENO))
		mode = PROGRESS_BAR;
	progress_init(p, mode, what, done, total, clock_ms());
}

void progress_update(struct progress *p, uint64_t done)
{
	if (p->mode != PROGRESS_NONE && progress_advance(p, done, clock_ms()))
		show(p);
}

void progress_end(struct progress *p)
{
	if (p->mode == PROGRESS_JSON || p->width) {
		progress_advance(p, p->done, clock_ms());
		show(p);
	}
	if (p->width)
		fprintf(stderr, "\n");
	p->mode = PROGRESS_NONE;
}
