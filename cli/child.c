#include "cli/child.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static long now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Append what is there to text; drop what does not fit. False: the end. */
static bool take(int fd, char *text)
{
	char rest[512];
	size_t n = strlen(text), room = KWS_CHILD_TEXT - 1 - n;
	ssize_t k = read(fd, room ? text + n : rest, room ? room : sizeof rest);
	if (room)
		text[k > 0 ? n + (size_t)k : n] = '\0';
	return k > 0;
}

/* Read both streams until they end. False: timeout. */
static bool listen_to(kws_child *c, int out, int err, int timeout_ms)
{
	struct pollfd p[2] = { { out, POLLIN, 0 }, { err, POLLIN, 0 } };
	const long end = now_ms() + timeout_ms;
	while (p[0].fd >= 0 || p[1].fd >= 0) {
		const long left = end - now_ms();
		if (left <= 0 || (poll(p, 2, (int)left) <= 0 && errno != EINTR))
			return false;
		if (p[0].fd >= 0 && p[0].revents && !take(out, c->out))
			p[0].fd = -1;
		if (p[1].fd >= 0 && p[1].revents && !take(err, c->err))
			p[1].fd = -1;
	}
	return true;
}

static int spawn(pid_t *pid, char *const argv[], const int out[2], const int err[2])
{
	posix_spawn_file_actions_t to;
	int failed = posix_spawn_file_actions_init(&to);
	if (failed)
		return failed;
	posix_spawn_file_actions_addopen(&to, STDIN_FILENO, "/dev/null", 0, 0);
	posix_spawn_file_actions_adddup2(&to, out[1], STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&to, err[1], STDERR_FILENO);
	for (int i = 0; i < 2; i++) {
		posix_spawn_file_actions_addclose(&to, out[i]);
		posix_spawn_file_actions_addclose(&to, err[i]);
	}
	failed = posix_spawnp(pid, argv[0], &to, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&to);
	return failed;
}

bool kws_child_run(kws_child *c, char *const argv[], int timeout_ms)
{
	int out[2], err[2];
	pid_t pid;
	c->status = -1;
	c->out[0] = c->err[0] = '\0';
	if (pipe(out) != 0)
		return false;
	if (pipe(err) != 0) {
		close(out[0]);
		close(out[1]);
		return false;
	}
	const int failed = spawn(&pid, argv, out, err);
	close(out[1]);
	close(err[1]);
	const bool heard = !failed && listen_to(c, out[0], err[0], timeout_ms);
	close(out[0]);
	close(err[0]);
	if (!failed && !heard)
		kill(pid, SIGKILL);
	if (!failed)
		while (waitpid(pid, &c->status, 0) < 0 && errno == EINTR)
			;
	errno = failed ? failed : heard ? 0 : ETIMEDOUT;
	return heard;
}

int kws_child_status(const kws_child *c)
{
	return WIFEXITED(c->status) ? WEXITSTATUS(c->status) : -1;
}
