# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
# resize wants one name of a volume that is open, and a size that is one.
# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"

mkdir -m 700 run
export XDG_RUNTIME_DIR=$PWD/run

expect 1 "$VCRYPT" resize
says 'one NAME or IMAGE is needed'
expect 1 "$VCRYPT" resize a b
says 'one NAME or IMAGE is needed'
expect 1 "$VCRYPT" resize a/b
says 'a/b is not open: --size is needed'
expect 4 "$VCRYPT" resize a/b --size 30M
says 'a/b: No such file'
expect 1 "$VCRYPT" resize a --size 0
says '--size: 0 is not possible'
expect 1 "$VCRYPT" resize a --size -5M
says '--size: -5M is not a size'
expect 4 "$VCRYPT" resize nobody-has-this --size 5M
says 'nobody-has-this: is not open, and no file'
