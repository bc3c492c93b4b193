/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * A queue with an in-flight log, in pages that outlive a process, and what
 * becomes of them wherever that process dies: a second queue takes over a copy
 * of the pages, and must give out exactly what the driver still waits for, in
 * the order of fetching.
 */
#ifndef LOG_RIG_H
#define LOG_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/why.h"
#include "tests/unit/driver_split.h"
#include "virtio/inflight.h"
#include "virtio/virtq.h"

#define LOG_RIG_NUM  8
#define LOG_RIG_PAGE 4096

/* In one shared mapping, a page each. */
enum log_rig_page {
	P_DESC,
	P_DRIVER, /* split: the available ring */
	P_DEVICE, /* split: the used ring */
	P_LOG,
	P_NOTES, /* the test's own */
	NR_PAGES
};

/* What the driver has seen. */
struct log_history {
	uint16_t offered; /* requests, ever */
	struct driver_pos used;
	int last[LOG_RIG_NUM];	     /* for each id: when it was offered last */
	uint16_t count[LOG_RIG_NUM]; /* and of how many descriptors */
	bool waiting[LOG_RIG_NUM];
};

struct log_rig {
	struct driver d;
	struct virtq *vq;
	struct inflight_queue log;
	uint8_t *pages;
	/* Of those who take over. */
	struct driver heir;
	uint8_t *copy;
};

/* What the formats differ in, or the test decides. */
struct log_rig_ops {
	/* Bring @h up to date with the ring in @pages. */
	void (*follow)(struct log_history *h, const uint8_t *pages);
	/* Where the descriptor @i of request @id points to. */
	uint64_t (*address)(unsigned id, unsigned i);
};

void log_rig_begin(struct log_rig *rig, uint64_t features);
void log_rig_end(struct log_rig *rig);

/* The queue starts; it is replaced by a new one, as after a death. */
void log_rig_start(struct log_rig *rig);
void log_rig_replace(struct log_rig *rig);

/* The queue gives out the request @want; answers it; aborts if it cannot. */
void log_rig_pop(struct log_rig *rig, unsigned want);
void log_rig_push(struct log_rig *rig, unsigned id);

/*
 * Run @script in a process of its own, and play its death before it begins and
 * after each store that changes the pages.  Returns the number of deaths.
 */
unsigned log_rig_die(struct log_rig *rig, const struct log_rig_ops *ops,
		     void (*script)(void));

#endif
