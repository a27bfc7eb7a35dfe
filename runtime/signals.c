#include "runtime/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* A flag for each signal, and an eventfd to wake the loop. Not signalfd: libraries start threads in
 * which no signal is blocked, and such a signal would end the process. */
static const int heeded[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1 };
enum { N_HEEDED = sizeof heeded / sizeof heeded[0] };
static atomic_bool caught[N_HEEDED]; /* set by any thread that gets the signal */
static int signal_fd = -1;

static void on_caught(int number)
{
	const uint64_t one = 1;
	int keep = errno;

	for (int i = 0; i < N_HEEDED; i++)
		if (heeded[i] == number)
			atomic_store(&caught[i], true);
	if (write(signal_fd, &one, sizeof one) < 0)
		errno = keep; /* the counter is full: it wakes the loop anyway */
	errno = keep;
}

enum kws_status kws_signals_catch(kws_error *err)
{
	struct sigaction sa = { .sa_handler = on_caught, .sa_flags = SA_RESTART };
	sigset_t none;

	if (signal_fd < 0)
		signal_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (signal_fd < 0)
		return kws_fail(err, KWS_ERR_NOMEM, "eventfd: %s", kws_strerrno(errno));
	for (int i = 0; i < N_HEEDED; i++)
		sigaction(heeded[i], &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	return KWS_OK;
}

int kws_signals_fd(void)
{
	return signal_fd;
}

static void clear_wakeups(void)
{
	uint64_t n;

	if (read(signal_fd, &n, sizeof n) < 0)
		n = 0; /* only the flags count */
}

int kws_signals_next(void)
{
	clear_wakeups();
	for (int i = 0; i < N_HEEDED; i++)
		/* clear the flag first: a signal that comes now counts again */
		if (atomic_exchange(&caught[i], false))
			return heeded[i];
	return 0;
}

bool kws_signals_stop_asked(void)
{
	clear_wakeups();
	for (int i = 0; i < N_HEEDED; i++)
		if (atomic_load(&caught[i]) && (heeded[i] == SIGTERM || heeded[i] == SIGINT))
			return true;
	return false;
}
