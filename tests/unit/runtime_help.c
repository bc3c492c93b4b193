/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * A runtime directory of a test's own: see runtime_help.h.
 */
#include <check.h>
#include <ftw.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/runtime.h"
#include "tests/unit/runtime_help.h"

#define NOBODY 65534

static char dir[32];

const char *runtime_private(void (*before)(const char *dir))
{
	strcpy(dir, "/tmp/vcrypt-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(setenv("XDG_RUNTIME_DIR", dir, 1), 0);
	if (before)
		before(dir);
	if (geteuid())
		return dir;
	ck_assert_int_eq(chown(dir, NOBODY, NOBODY), 0);
	ck_assert_int_eq(setgroups(0, NULL), 0);
	ck_assert_int_eq(setresgid(NOBODY, NOBODY, NOBODY), 0);
	ck_assert_int_eq(setresuid(NOBODY, NOBODY, NOBODY), 0);
	return dir;
}

void runtime_setup(struct runtime *rt)
{
	runtime_private(NULL);
	ck_assert_int_eq(runtime_open(rt, true, NULL), 0);
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	return remove(path);
}

void runtime_teardown(void)
{
	nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}
