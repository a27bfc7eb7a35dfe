#define _GNU_SOURCE /* pipe2 */
#include "runtime/cause.h"
#include "runtime/clock.h"
#include "runtime/log.h"
#include "daemon/sink/work.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

/* OUTPUT: the most bytes that one run may write to the log. */
enum { TICK_MS = 20, OUTPUT = 4096, LINE = 512 };

typedef struct {
	const char *label; /* of the hook */
	pid_t pid;	   /* 0: free; also the number of its process group */
	double deadline;
	bool killed;
	int out; /* read end of its output, non-blocking */
	size_t written, n;
	char line[LINE]; /* (n,) the unfinished last line of its output */
} child;

typedef struct {
	kws_sink_work *work;
	kws_conf_hook conf;
	char words[KWS_CONF_TEXT], *argv[KWS_CONF_ARGS];
	char field[KWS_REPORT_FIELDS][KWS_SINK_FIELD], json[KWS_EVENT_JSON + 16];
	char **env;   /* (n_env + KWS_REPORT_FIELDS + 1,) environment of a child */
	size_t n_env; /* entries from our own environment; they come first */
	posix_spawnattr_t attr;
	child *children; /* (at_once,) */
} hook;

/* ---- output of a hook: whole lines go to our log, at most OUTPUT bytes ---- */

static void log_line(child *c)
{
	if (c->n)
		kws_log(KWS_LOG_INFO, "%s: %.*s", c->label, (int)c->n, c->line);
	c->n = 0;
}

static void take_output(child *c, const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (c->written++ == OUTPUT)
			kws_log(KWS_LOG_WARNING, "%s: more than %d bytes of output, cut", c->label,
				OUTPUT);
		if (c->written > OUTPUT)
			c->n = 0;
		else if (text[i] == '\n' || text[i] == 0)
			log_line(c);
		else
			c->line[c->n++] = text[i];
		if (c->n == LINE)
			log_line(c);
	}
}

/* Read at most the content of a full pipe, so that a hook that never stops writing cannot hold
 * us. */
static void drain(child *c)
{
	char text[4096];
	ssize_t n;

	for (int i = 0; i < 16 && (n = read(c->out, text, sizeof text)) > 0; i++)
		take_output(c, text, (size_t)n);
}

/* ---- the end of a hook ---- */

/* The child has ended. Kill what it left in its process group, too. This is safe: the number of a
 * group is not used again while the group has members. */
static void bury(hook *h, child *c)
{
	if (kill(-c->pid, SIGKILL) == 0) {
		kws_log(KWS_LOG_WARNING, "%s: %s left processes behind, killed", c->label,
			h->argv[0]);
		kws_sink_work_killed(h->work);
	}
	drain(c);
	log_line(c);
	close(c->out);
	c->pid = 0;
}

static void tell_end(hook *h, const child *c, bool known, int status)
{
	if (!c->killed && known && status != 0)
		kws_log(KWS_LOG_WARNING, "%s: %s ended with %s %d", c->label, h->argv[0],
			WIFSIGNALED(status) ? "signal" : "status",
			WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	if (c->killed || !known || status != 0)
		kws_sink_work_failed(h->work);
}

/* Look after each child once. Returns the number that still run. */
static unsigned reap(hook *h)
{
	double now = kws_clock_mono();
	unsigned running = 0;

	for (unsigned i = 0; i < h->conf.at_once; i++) {
		child *c = &h->children[i];
		int status = 0;

		if (!c->pid)
			continue;
		drain(c);
		bool hurry = kws_sink_work_hurry(h->work);
		if (!c->killed && (hurry || now >= c->deadline)) {
			c->killed = true;
			kill(-c->pid, SIGKILL);
			kws_sink_work_killed(h->work);
			kws_log(KWS_LOG_WARNING, "%s: %s %s, killed", c->label, h->argv[0],
				hurry ? "still runs at the end"
				      : "took longer than hook.timeout_ms");
		}
		pid_t got = waitpid(c->pid, &status, WNOHANG);
		if (got == 0 || (got < 0 && errno == EINTR)) {
			running++;
			continue;
		}
		tell_end(h, c, got > 0, status);
		bury(h, c);
	}
	return running;
}

/* ---- the start of a hook ---- */

static void fill_env(hook *h, const kws_report *r)
{
	size_t n = h->n_env;

	for (size_t i = 0; i < KWS_REPORT_FIELDS && kws_sink_field(r, i, h->field[i]); i++)
		h->env[n++] = h->field[i];
	h->env[n] = NULL;
}

/* Make a pipe that already contains the event. The event always fits, so the write never waits. */
static int loaded_pipe(hook *h, const kws_report *r)
{
	int fd[2];
	size_t n = kws_report_json(r, h->json, KWS_EVENT_JSON);

	h->json[n++] = '\n';
	if (pipe2(fd, O_CLOEXEC) != 0)
		return -1;
	ssize_t k = write(fd[1], h->json, n);
	close(fd[1]);
	if (k != (ssize_t)n) {
		close(fd[0]);
		errno = k < 0 ? errno : ENOSPC;
		return -1;
	}
	return fd[0];
}

static int spawn(hook *h, child *c, int in, int out)
{
	posix_spawn_file_actions_t fa;
	int failed = posix_spawn_file_actions_init(&fa);

	if (failed)
		return failed;
	if (!(failed = posix_spawn_file_actions_adddup2(&fa, in, STDIN_FILENO))
	    && !(failed = posix_spawn_file_actions_adddup2(&fa, out, STDOUT_FILENO))
	    && !(failed = posix_spawn_file_actions_adddup2(&fa, out, STDERR_FILENO)))
		failed = posix_spawn(&c->pid, h->argv[0], &fa, &h->attr, h->argv, h->env);
	posix_spawn_file_actions_destroy(&fa);
	return failed;
}

static bool start(hook *h, child *c, const kws_report *r)
{
	int in = loaded_pipe(h, r), out[2] = { -1, -1 }, failed;

	c->label = kws_sink_work_label(h->work);
	if (in < 0 || pipe2(out, O_CLOEXEC) != 0) {
		kws_log(KWS_LOG_ERROR, "%s: pipe: %s", c->label, kws_strerrno(errno));
		if (in >= 0)
			close(in);
		return false;
	}
	fcntl(out[0], F_SETFL, O_NONBLOCK);
	fill_env(h, r);
	failed = spawn(h, c, in, out[1]);
	close(in);
	close(out[1]);
	if (failed) {
		c->pid = 0;
		close(out[0]);
		kws_log(KWS_LOG_ERROR,
			failed == EAGAIN ? "%s: %s: %s (ulimit -u, TasksMax=)" : "%s: %s: %s",
			c->label, h->argv[0], kws_strerrno(failed));
		return false;
	}
	c->out = out[0];
	c->written = c->n = 0;
	c->killed = false;
	c->deadline = kws_clock_mono() + 1e-3 * h->conf.timeout_ms;
	return true;
}

static bool deliver(void *self, const kws_report *r)
{
	hook *h = self;
	unsigned i = 0;

	while (reap(h) == h->conf.at_once) {
		struct timespec t = { .tv_nsec = TICK_MS * 1000000L };
		nanosleep(&t, NULL); /* this ends: each child is killed after its timeout */
	}
	if (kws_sink_work_hurry(h->work))
		return false; /* nothing would end it any more */
	while (h->children[i].pid)
		i++;
	return start(h, &h->children[i], r);
}

static int tick(void *self)
{
	return reap(self) ? TICK_MS : -1;
}

static void free_hook(void *self)
{
	hook *h = self;

	posix_spawnattr_destroy(&h->attr);
	free(h->children);
	free(h->env);
	free(h);
}

static const kws_sink_deliver ops = { NULL, deliver, tick, free_hook };

/* Copy our own environment, except the variables that systemd has set for us, and KWS_*. */
static bool take_environment(hook *h)
{
	static const char *const ours[] = { "NOTIFY_SOCKET=", "WATCHDOG_", "LISTEN_",
					    "JOURNAL_STREAM=", "KWS_" };
	size_t n = 0;

	while (environ[n])
		n++;
	h->env = calloc(n + KWS_REPORT_FIELDS + 1, sizeof *h->env);
	if (!h->env)
		return false;
	for (char **e = environ; *e; e++) {
		bool skip = false;

		for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
			skip |= !strncmp(*e, ours[i], strlen(ours[i]));
		if (!skip)
			h->env[h->n_env++] = *e;
	}
	return true;
}

/* The child gets its own process group, and no signal is blocked or ignored in it. */
static void prepare(hook *h)
{
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_init(&h->attr);
	posix_spawnattr_setflags(&h->attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK
						   | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setpgroup(&h->attr, 0);
	posix_spawnattr_setsigmask(&h->attr, &none);
	posix_spawnattr_setsigdefault(&h->attr, &all);
}

static enum kws_status create(kws_sink **sink, const void *c, kws_error *err)
{
	const kws_conf_hook *conf = c;
	hook *h = calloc(1, sizeof *h);
	const char *why = NULL;
	char title[KWS_CONF_TITLE];
	struct stat st;
	kws_cause cause = { "" };

	*sink = NULL;
	if (!h)
		return kws_fail(err, KWS_ERR_NOMEM, "hook: out of memory");
	h->conf = *conf;
	prepare(h);
	h->children = calloc(conf->at_once, sizeof *h->children);
	if (!h->children || !take_environment(h)) {
		free_hook(h);
		return kws_fail(err, KWS_ERR_NOMEM, "hook: out of memory");
	}
	if (kws_conf_split(h->conf.command, h->words, sizeof h->words, h->argv) < 1)
		why = "no command";
	else if (stat(h->argv[0], &st) != 0
		 || faccessat(AT_FDCWD, h->argv[0], X_OK, AT_EACCESS) != 0)
		why = kws_cause_of(&cause, errno, h->argv[0]);
	else if (!S_ISREG(st.st_mode))
		why = "is no program";
	if (why) {
		free_hook(h);
		return kws_fail(err, KWS_ERR_IO, "%s command: %s: %s",
				kws_conf_title("hook", conf->name, title), conf->command, why);
	}
	return kws_sink_work_create(sink, &kws_sink_hook, conf->name, &ops, h, conf->queue,
				    &h->work, err);
}

const kws_sink_kind kws_sink_hook = { "hook", NULL, create };
