/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Access to memory that somebody else may take away: see guard.h.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>

#include "lib/guard.h"

/* The thread sanitizer blocks every signal while a handler runs. */
#ifdef __SANITIZE_THREAD__
#define SAVE_MASK 1
#else
#define SAVE_MASK 0
#endif

static _Thread_local sigjmp_buf *volatile innermost;

/* SIGBUS is raised by the access itself, hence in the thread that did it. */
static void on_sigbus(int sig)
{
	if (innermost)
		siglongjmp(*innermost, 1);
	/* Not ours: the default action follows when the access is repeated. */
	signal(sig, SIG_DFL);
}

int guard_install(void)
{
	struct sigaction sa = { .sa_handler = on_sigbus };

	/* SA_NODEFER: the handler is left by a jump that restores no mask. */
	sa.sa_flags = SA_NODEFER;
	return sigaction(SIGBUS, &sa, NULL) ? -errno : 0;
}

int guard_run(void (*fn)(void *arg), void *arg)
{
	sigjmp_buf *outer = innermost;
	sigjmp_buf env;

	if (sigsetjmp(env, SAVE_MASK)) {
		innermost = outer;
		return -EFAULT;
	}
	innermost = &env;
	fn(arg);
	innermost = outer;
	return 0;
}
