/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * A block device that answers every request with -EIO.  It stands in for a
 * store that is lost, so that requests end and a device can be taken away.
 */
#ifndef BACKEND_DEAD_H
#define BACKEND_DEAD_H

#include "backend/blk.h"

/* @info is copied.  0 or -ENOMEM. */
int dead_blk_new(const struct blk_info *info, struct blk_dev **ret);

#endif
