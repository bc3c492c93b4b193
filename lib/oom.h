/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Who is to go first when memory runs out (proc(5), oom_score_adj).  A process
 * that is not dumpable may not say it of itself, unless it is root: its file
 * has to be opened before.
 */
#ifndef LIB_OOM_H
#define LIB_OOM_H

/* While the process is still dumpable; keeps a descriptor. */
void oom_prepare(void);

/*
 * Before a fork whose child is to go first, and after it in the parent, which
 * then is as it was.  Best effort: without it the kernel only chooses less
 * well.
 */
void oom_offer_begin(void);
void oom_offer_end(void);

#endif
