/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What is said of a volume, by its monitor and by those who find it without.
 */
#ifndef DAEMON_REPORT_H
#define DAEMON_REPORT_H

struct json_object;

/* Set the members "driver" and "device" to what became of @name by now. */
void report_binding(const char *name, struct json_object *obj);

#endif
