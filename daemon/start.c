#include "daemon/start.h"

#include "runtime/clock.h"
#include "runtime/signals.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

typedef struct {
	kws_setup *setup;
	kws_error *err;
	enum kws_status status;
	int done;
} job;

static void *build(void *arg)
{
	job *j = arg;
	uint64_t one = 1;

	j->status = kws_setup_build(j->setup, NULL, j->err);
	while (write(j->done, &one, sizeof one) < 0 && errno == EINTR)
		continue;
	return NULL;
}

/* False: SIGTERM or SIGINT came. SIGHUP is left for the service. */
static bool wait_for(int done)
{
	struct pollfd fd[] = { { .fd = done, .events = POLLIN },
			       { .fd = kws_signals_fd(), .events = POLLIN } };

	while (!fd[0].revents)
		if (poll(fd, 2, -1) > 0 && fd[1].revents && kws_signals_stop_asked())
			return false;
	return true;
}

enum kws_status kws_start_build(kws_setup *s, bool *stopped, kws_error *err)
{
	static job j; /* the thread may outlive this function */
	pthread_t thread = 0;
	int failed;

	*stopped = false;
	j = (job){ .setup = s, .err = err, .done = eventfd(0, EFD_CLOEXEC) };
	if (j.done < 0)
		return kws_fail(err, KWS_ERR_NOMEM, "eventfd: %s", kws_strerrno(errno));
	failed = kws_clock_start(&thread, NULL, build, &j);
	if (failed) {
		close(j.done);
		return kws_fail(err, KWS_ERR_NOMEM, KWS_NO_THREAD, kws_strerrno(failed));
	}
	*stopped = !wait_for(j.done);
	if (*stopped) {
		pthread_detach(thread);
		return KWS_OK;
	}
	pthread_join(thread, NULL);
	close(j.done);
	return j.status;
}
