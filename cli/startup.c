#include "cli/startup.h"

#include "cli/args.h"
#include "find_model.h"

#include <errno.h>
#include <math.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Returns an errno, or 0 and how the process ended. */
static int run_self(char *const argv[], int in, int *status)
{
	char exe[] = "/proc/self/exe";
	posix_spawn_file_actions_t to;
	pid_t pid;
	posix_spawn_file_actions_init(&to);
	posix_spawn_file_actions_adddup2(&to, in, STDIN_FILENO);
	posix_spawn_file_actions_addopen(&to, STDOUT_FILENO, "/dev/null", 1, 0);
	const int failed = posix_spawn(&pid, exe, &to, NULL, argv, environ);
	if (!failed)
		waitpid(pid, status, 0);
	posix_spawn_file_actions_destroy(&to);
	return failed;
}

double kws_startup_seconds(const char *model, kws_error *err)
{
	static const char hop[320];
	char kws[] = "kws", spot[] = "spot", option[] = "-m", dash[] = "-", path[KWS_ARGS_PATH];
	char *argv[] = { kws, spot, option, path, dash, NULL };
	int fd[2], status = 0;
	kws_find_model(model, path, sizeof path);
	if (pipe(fd) < 0) {
		kws_fail(err, KWS_ERR_IO, "a pipe: %s", strerror(errno));
		return (double)NAN;
	}
	const bool fed = write(fd[1], hop, sizeof hop) == (ssize_t)sizeof hop;
	close(fd[1]);
	const double t0 = now();
	const int failed = fed ? run_self(argv, fd[0], &status) : EIO;
	const double t = now() - t0;
	close(fd[0]);
	if (failed)
		kws_fail(err, KWS_ERR_IO, "kws cannot run itself again: %s", strerror(failed));
	else if (!WIFEXITED(status))
		kws_fail(err, KWS_ERR_IO, "kws, run again, was ended by signal %d",
			 WTERMSIG(status));
	else if (WEXITSTATUS(status) != 0)
		kws_fail(err, KWS_ERR_IO, "kws, run again, ended with status %d",
			 WEXITSTATUS(status));
	else
		return t;
	return (double)NAN;
}
