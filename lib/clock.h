/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Waiting until something is so, or a deadline has passed.
 */
#ifndef LIB_CLOCK_H
#define LIB_CLOCK_H

#include <stdint.h>

/* Milliseconds of CLOCK_MONOTONIC. */
int64_t clock_ms(void);

/* Nanoseconds of CLOCK_MONOTONIC; no system call. */
uint64_t clock_ns(void);

/* Sleep for @ms milliseconds, or less when a signal comes. */
void clock_pause(int64_t ms);

#endif
