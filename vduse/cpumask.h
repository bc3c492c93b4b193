/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The two ways in which sysfs writes a set of CPUs.
 */
#ifndef VDUSE_CPUMASK_H
#define VDUSE_CPUMASK_H

#include <stddef.h>

#define CPUMASK_TEXT_MAX 2304 /* of 8192 CPUs, the most that Linux has */

/*
 * Turn a list ("0-3,8", as in /sys/devices/system/cpu/online) into a mask
 * ("10f"): hexadecimal, in groups of 32 bits with commas between them, as
 * bitmap_parse() of the kernel wants it, which refuses longer groups.
 * -EINVAL: not a list, or it is empty; -E2BIG: more than 8192 CPUs.
 */
int cpumask_from_list(const char *list, char ret[static CPUMASK_TEXT_MAX]);

#endif
