#define _GNU_SOURCE /* environ */
#include "audio/device.h"
#include "audio/device_parts.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LOOK_S = 10 };

/* Names the process that waits for the list. So a program in which the variable is set by chance
 * does not list devices. */
static const char variable[] = "KWS_DEVICE_LIST_FOR";
static const char self[] = "/proc/self/exe";

/* The child writes this, and then n devices. */
typedef struct {
	kws_error err; /* "": the list is good */
	size_t n;
} head;

static bool prepared;

/* ---- the child: this program anew, before it does anything else ---- */

static void write_all(int fd, const void *from, size_t n)
{
	for (const char *at = from; n;) {
		const ssize_t k = write(fd, at, n);

		if (k <= 0)
			_exit(1);
		at += k;
		n -= (size_t)k;
	}
}

static void write_list(void)
{
	static kws_device_info list[KWS_DEVICE_MAX];
	head h = { .n = 0 };
	const int out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);

	if (out < 0)
		_exit(1);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(LOOK_S);
	dup2(STDERR_FILENO, STDOUT_FILENO); /* what libraries print is not part of the list */
	kws_device_look(list, KWS_DEVICE_MAX, &h.n, &h.err);
	write_all(out, &h, sizeof h);
	write_all(out, list, h.n * sizeof *list);
	_exit(0);
}

void kws_device_prepare(void)
{
	const char *asks = getenv(variable);

	/* listing devices must not start a JACK server */
	setenv("JACK_NO_START_SERVER", "1", 0);
	prepared = true;
	if (asks && strtol(asks, NULL, 10) == (long)getppid())
		write_list();
}

/* ---- the parent ---- */

/* Start the child quietly, with no signal blocked or ignored, and standard output to out. Returns
 * 0, or an errno. */
static int spawn(pid_t *pid, int out, char **env)
{
	static char name[] = "kws-devices";
	char *const argv[] = { name, NULL };
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int failed = posix_spawn_file_actions_init(&fa);

	if (failed)
		return failed;
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	failed = posix_spawn_file_actions_addopen(&fa, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (!failed)
		failed = posix_spawn_file_actions_adddup2(&fa, out, STDOUT_FILENO);
	if (!failed && !kws_device_is_loud())
		failed = posix_spawn_file_actions_addopen(&fa, STDERR_FILENO, "/dev/null", O_WRONLY,
							  0);
	if (!failed)
		failed = posix_spawn(pid, self, &fa, &attr, argv, env);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&fa);
	return failed;
}

static int start(pid_t *pid, int out)
{
	char who[64], **env;
	size_t n = 0;
	int failed;

	while (environ[n])
		n++;
	env = calloc(n + 2, sizeof *env);
	if (!env)
		return ENOMEM;
	memcpy(env, environ, n * sizeof *env);
	snprintf(who, sizeof who, "%s=%ld", variable, (long)getpid());
	env[n] = who;
	failed = spawn(pid, out, env);
	free(env);
	return failed;
}

static bool read_all(int fd, void *to, size_t n)
{
	for (char *at = to; n;) {
		const ssize_t k = read(fd, at, n);

		if (k == 0 || (k < 0 && errno != EINTR))
			return false;
		at += k > 0 ? k : 0;
		n -= k > 0 ? (size_t)k : 0;
	}
	return true;
}

static bool read_list(int fd, kws_device_info *list, size_t max, head *h)
{
	if (!read_all(fd, h, sizeof *h))
		return false;
	if (h->n > max)
		h->n = max;
	return read_all(fd, list, h->n * sizeof *list);
}

/* Explain how a child without a list ended. */
static enum kws_status explain(int ended, kws_error *err)
{
	if (WIFSIGNALED(ended) && WTERMSIG(ended) == SIGALRM)
		return kws_fail(err, KWS_ERR_DEVICE, "the sound system does not answer within %d s",
				LOOK_S);
	if (WIFSIGNALED(ended))
		return kws_fail(err, KWS_ERR_DEVICE,
				"the sound libraries crash (signal %d): does the ALSA "
				"configuration define pcm.!default?",
				WTERMSIG(ended));
	return kws_fail(err, KWS_ERR_DEVICE, "the process that lists the devices failed");
}

/* A child that looks, and the end of the pipe that its list comes from. */
typedef struct {
	pid_t pid; /* 0: none */
	int fd;
} child;

static child ahead; /* under the lock */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static enum kws_status begin(child *c, kws_error *err)
{
	int fd[2];

	assert(prepared); /* otherwise the child would run this program normally */
	if (pipe2(fd, O_CLOEXEC) != 0)
		return kws_fail(err, KWS_ERR_DEVICE, "pipe: %s", kws_strerrno(errno));
	const int failed = start(&c->pid, fd[1]);
	close(fd[1]);
	c->fd = fd[0];
	if (!failed)
		return KWS_OK;
	close(fd[0]);
	return kws_fail(err, KWS_ERR_DEVICE, "%s: %s", self, kws_strerrno(failed));
}

void kws_device_list_ahead(void)
{
	child c;

	if (begin(&c, NULL) != KWS_OK)
		return; /* kws_device_list tries again, and tells why not */
	pthread_mutex_lock(&lock);
	assert(!ahead.pid);
	ahead = c;
	pthread_mutex_unlock(&lock);
}

static child take_ahead(void)
{
	pthread_mutex_lock(&lock);
	const child c = ahead;
	ahead.pid = 0;
	pthread_mutex_unlock(&lock);
	return c;
}

enum kws_status kws_device_list(kws_device_info *list, size_t max, size_t *n, kws_error *err)
{
	head h = { .n = 0 };
	child c = take_ahead();
	const enum kws_status status = c.pid ? KWS_OK : begin(&c, err);
	int ended = 0;

	*n = 0;
	if (status != KWS_OK)
		return status;
	const bool whole = read_list(c.fd, list, max, &h);
	close(c.fd);
	while (waitpid(c.pid, &ended, 0) < 0 && errno == EINTR)
		continue;
	if (!whole)
		return explain(ended, err);
	if (*h.err.text)
		return kws_fail(err, KWS_ERR_DEVICE, "%s", h.err.text);
	*n = h.n;
	return KWS_OK;
}
