#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# The worker is killed under load, twenty times: split ring.
# timeout: 300

. "$(dirname "$0")/kill_busy.sh"
kill_busy split
