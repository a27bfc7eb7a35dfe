#include "daemon/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Not signalfd: libraries start threads with no signal blocked, which would die of them. A flag for
 * each signal, and a wake-up. */
static const int heeded[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1 };
enum { N_HEEDED = sizeof heeded / sizeof heeded[0] };
static atomic_bool caught[N_HEEDED]; /* by whichever thread the signal came to */
static int signal_fd = -1;

static void on_caught(int number)
{
	const uint64_t one = 1;
	int keep = errno;

	for (int i = 0; i < N_HEEDED; i++)
		if (heeded[i] == number)
			atomic_store(&caught[i], true);
	if (write(signal_fd, &one, sizeof one) < 0)
		errno = keep; /* full of wake-ups */
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
		n = 0; /* the flags say it */
}

int kws_signals_next(void)
{
	clear_wakeups();
	for (int i = 0; i < N_HEEDED; i++)
		/* cleared before it is heeded: the next one counts again */
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
