/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Talking to the person at the terminal: see terminal.h.
 *
 * The handling of signals follows OpenBSD's readpassphrase(3): they are noted
 * by a handler that ends the wait for input, and raised again when the terminal
 * is as it was.  That is so for every signal that would end or stop the process,
 * except SIGKILL and SIGSTOP, which no process sees, and except those of a
 * fault, which must not be blocked: at these the handler itself restores the
 * terminal.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "lib/why.h"
#include "tools/terminal.h"

static const int faults[] = { SIGABRT, SIGBUS, SIGFPE, SIGILL,
			      SIGSEGV, SIGSYS, SIGTRAP };

#define NR_FAULTS (sizeof(faults) / sizeof(faults[0]))

/* A handler has no other way to tell, or to know. */
static volatile sig_atomic_t caught[NSIG];
static int fault_fd;
static struct termios fault_saved;

static void note(int sig)
{
	caught[sig] = 1;
}

/* The default action is back in force, and follows. */
static void restore_and_die(int sig)
{
	tcsetattr(fault_fd, TCSANOW, &fault_saved);
	raise(sig);
}

struct terminal {
	int in;
	int out;
	bool own; /* opened here */
	struct termios saved;
	struct sigaction actions[NSIG];
	sigset_t handled; /* has a handler of ours instead of actions[] */
	sigset_t watched; /* those of them that are noted */
};

static int terminal_open(struct terminal *t, struct why *why)
{
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

	t->own = fd >= 0;
	t->in = t->own ? fd : STDIN_FILENO;
	t->out = t->own ? fd : STDERR_FILENO;
	if (t->own || isatty(STDIN_FILENO))
		return 0;
	return why_set(why, -ENOTTY, "there is no terminal to ask at");
}

static void terminal_close(struct terminal *t)
{
	if (t->own)
		close(t->in);
}

static void say(const struct terminal *t, const char *s)
{
	/* Without a prompt the answer still counts. */
	if (write(t->out, s, strlen(s)) < 0)
		errno = 0;
}

static bool any_caught(void)
{
	int sig;

	for (sig = 1; sig < NSIG; sig++)
		if (caught[sig])
			return true;
	return false;
}

/*
 * Wait for input.  The watched signals are blocked but in here, under @mask,
 * so that none slips in between a look at caught[] and the wait.
 */
static int wait_input(const struct terminal *t, const sigset_t *mask)
{
	struct pollfd pfd = { .fd = t->in, .events = POLLIN };

	if (mask && any_caught())
		return -EINTR;
	return ppoll(&pfd, 1, NULL, mask) < 0 ? -errno : 0;
}

/* Until the newline.  Returns bytes, -EINTR, -EINVAL (none, too many). */
static ssize_t read_typed(const struct terminal *t, const sigset_t *mask,
			  char *buf, size_t len)
{
	bool too_long = false;
	size_t n = 0;
	ssize_t r;
	char c = '\0';

	for (;;) {
		r = wait_input(t, mask);
		if (r < 0)
			break;
		r = read(t->in, &c, 1);
		if (r < 0)
			r = -errno;
		if (r <= 0 || c == '\n')
			break;
		if (n < len)
			buf[n++] = c;
		else
			too_long = true;
	}
	explicit_bzero(&c, sizeof(c));
	if (r < 0)
		return r;
	return too_long || (!r && !n) ? -EINVAL : (ssize_t)n;
}

static bool is_fault(int sig)
{
	size_t i;

	for (i = 0; i < NR_FAULTS; i++)
		if (faults[i] == sig)
			return true;
	return false;
}

/* Nothing happens at these, unless somebody has a handler. */
static bool is_harmless(int sig, const struct sigaction *action)
{
	return action->sa_handler == SIG_IGN ||
	       (action->sa_handler == SIG_DFL &&
		(sig == SIGCHLD || sig == SIGURG || sig == SIGWINCH));
}

static void watch_signals(struct terminal *t)
{
	struct sigaction noting = { .sa_handler = note };
	struct sigaction dying = {
		.sa_handler = restore_and_die,
		.sa_flags = (int)SA_RESETHAND | SA_NODEFER,
	};
	int sig;

	fault_fd = t->in;
	fault_saved = t->saved;
	sigemptyset(&noting.sa_mask);
	sigemptyset(&dying.sa_mask);
	sigemptyset(&t->handled);
	sigemptyset(&t->watched);
	for (sig = 1; sig < NSIG; sig++) {
		caught[sig] = 0;
		if (sigaction(sig, NULL, &t->actions[sig]) ||
		    is_harmless(sig, &t->actions[sig]) ||
		    sigaction(sig, is_fault(sig) ? &dying : &noting, NULL))
			continue;
		sigaddset(&t->handled, sig);
		if (!is_fault(sig))
			sigaddset(&t->watched, sig);
	}
}

static void restore_signals(struct terminal *t)
{
	int sig;

	for (sig = 1; sig < NSIG; sig++)
		if (sigismember(&t->handled, sig) == 1)
			sigaction(sig, &t->actions[sig], NULL);
}

static void set_terminal(const struct terminal *t, const struct termios *to)
{
	/* In the background this raises SIGTTOU, which ends it. */
	while (tcsetattr(t->in, TCSAFLUSH, to) && errno == EINTR &&
	       !caught[SIGTTOU])
		;
}

/* Those after which a process may go on, with a terminal that was another's. */
static bool is_pause(int sig)
{
	return sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU ||
	       sig == SIGCONT;
}

/* Hand on what was caught; true: stopped and continued, so ask again. */
static bool raise_caught(void)
{
	bool again = false;
	int sig;

	for (sig = 1; sig < NSIG; sig++) {
		if (!caught[sig])
			continue;
		kill(getpid(), sig);
		again |= is_pause(sig);
	}
	return again;
}

static ssize_t ask_hidden(struct terminal *t, const char *prefix,
			  const char *prompt, void *buf, size_t len,
			  struct why *why)
{
	struct termios quiet;
	sigset_t mask;
	ssize_t n;

	if (tcgetattr(t->in, &t->saved))
		return why_set(why, -ENOTTY,
			       "the terminal cannot be set up:"
			       " %s",
			       strerror(errno));
	watch_signals(t);
	quiet = t->saved;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
	set_terminal(t, &quiet);
	say(t, prefix);
	say(t, prompt);
	say(t, ": ");
	/* Not around tcsetattr, which must get SIGTTOU in the background. */
	sigprocmask(SIG_BLOCK, &t->watched, &mask);
	n = read_typed(t, &mask, buf, len);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	say(t, "\n");
	set_terminal(t, &t->saved);
	restore_signals(t);
	if (n == -EINVAL)
		return why_set(why, -EDOM,
			       "no passphrase, or one longer"
			       " than %zu bytes (--key-file)",
			       len);
	if (n < 0)
		return why_set(why, (int)n, "no passphrase: %s",
			       strerror((int)-n));
	return n;
}

ssize_t terminal_read_hidden(const char *prefix, const char *prompt, void *buf,
			     size_t len, struct why *why)
{
	struct terminal t;
	ssize_t n;
	int r = terminal_open(&t, why);

	if (r)
		return r;
	do {
		n = ask_hidden(&t, prefix, prompt, buf, len, why);
		if (n < 0)
			explicit_bzero(buf, len);
	} while (raise_caught() && n == -EINTR);
	terminal_close(&t);
	return n;
}

int terminal_confirm(const char *question, const char *yes, bool *ret,
		     struct why *why)
{
	struct terminal t;
	char answer[64];
	ssize_t n;
	int r = terminal_open(&t, why);

	if (r)
		return r;
	say(&t, question);
	n = read_typed(&t, NULL, answer, sizeof(answer));
	terminal_close(&t);
	*ret = n == (ssize_t)strlen(yes) && !memcmp(answer, yes, (size_t)n);
	return 0;
}
