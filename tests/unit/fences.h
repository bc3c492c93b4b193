/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The tests of test_virtq_fences_*.c: no wakeup is lost, whatever order a
 * processor gives to the stores and loads of one function.
 */
#ifndef FENCES_H
#define FENCES_H

#include <stdbool.h>

/* All tests for one ring format; the exit status of the program. */
int fences_main(const char *name, bool packed);

#endif
