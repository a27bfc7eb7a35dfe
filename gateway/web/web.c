#include "gateway/web/web.h"

#include "gateway/sockets.h"
#include "gateway/web/http.h"
#include "gateway/web/textfile.h"
#include "runtime/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* kwsd has so long to send the status for the textfile. */
static const double answer_s = 2.0;

typedef struct {
	kws_loop *loop;
	const kws_conf *conf;
	char listen[KWS_CONF_TEXT], machine[65];
	kws_web_sockets sockets;
	kws_feed *feed;
	kws_http *http;
	kws_timer textfile, written;
	bool failing; /* the log says that the textfile cannot be written */
} web;

/* ---- the token ---- */

/* The file that the configuration names; otherwise the credential of the unit, or the file that the
 * unit takes it from. */
static void token_path(const kws_conf *c, char path[KWS_CONF_TEXT])
{
	const char *credentials = getenv("CREDENTIALS_DIRECTORY");

	if (*c->web.token)
		snprintf(path, KWS_CONF_TEXT, "%s", c->web.token);
	else if (credentials)
		snprintf(path, KWS_CONF_TEXT, "%s/kwsd-web.token", credentials);
	else
		snprintf(path, KWS_CONF_TEXT, "%s", KWS_SYSCONFDIR "/kwsd/web.token");
}

/* How much white space text (n,) begins with. */
static size_t blanks(const char *text, size_t n)
{
	size_t i = 0;

	while (i < n && strchr(" \n", text[i]))
		i++;
	return i;
}

/* Read the token into a. It is "" if no key names a file, and there is none or an empty one. */
static enum kws_status read_token(const kws_conf *c, kws_access *a, kws_error *err)
{
	char path[KWS_CONF_TEXT], text[2 * KWS_ACCESS_TOKEN];
	ssize_t n;
	int fd, code;

	token_path(c, path);
	*a->token = 0;
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && !*c->web.token)
		return KWS_OK;
	if (fd < 0)
		return kws_fail(err, KWS_ERR_ARG, "[web] token: %s: %s", path, kws_strerrno(errno));
	n = read(fd, text, sizeof text);
	code = errno;
	close(fd);
	if (n < 0)
		return kws_fail(err, KWS_ERR_ARG, "[web] token: %s: %s", path, kws_strerrno(code));
	if ((size_t)n == blanks(text, (size_t)n) && !*c->web.token)
		return KWS_OK;
	if (!kws_access_token(text, (size_t)n, a->token))
		return kws_fail(err, KWS_ERR_ARG,
				"[web] token: %s: want one line of %d to %d printable characters, "
				"without blanks",
				path, KWS_ACCESS_LEAST, KWS_ACCESS_TOKEN);
	return KWS_OK;
}

static enum kws_status need_token(const char *token, bool local, const char *where, kws_error *err)
{
	if (*token || local)
		return KWS_OK;
	return kws_fail(err, KWS_ERR_ARG,
			"[web] listen: other machines can reach %s, so that a token is needed: "
			"openssl rand -hex 24 > " KWS_SYSCONFDIR "/kwsd/web.token",
			where);
}

/* ---- the configuration ---- */

static enum kws_status check(const kws_conf *c, kws_error *err)
{
	struct sockaddr_storage a;
	socklen_t len;
	kws_access access = { .hosts = "" };
	kws_web_sockets none = { .n = 0 };
	enum kws_status status = read_token(c, &access, err);
	bool local = true;

	if (status != KWS_OK)
		return status;
	if (*c->web.listen && !kws_web_address_read(c->web.listen, &a, &len))
		return kws_web_sockets_open(&none, c->web.listen, err); /* says so */
	if (*c->web.listen)
		local = kws_sockets_is_local((const struct sockaddr *)&a);
	if (c->web.clips && !*c->clips.dir)
		return kws_fail(err, KWS_ERR_ARG, "[web] clips: yes, but [clips] dir is off");
	return need_token(access.token, local, c->web.listen, err);
}

/* The server by this configuration, on these sockets. */
static enum kws_status open_http(web *w, const kws_conf *c, const kws_web_sockets *sockets,
				 kws_http **out, kws_error *err)
{
	kws_http_config conf = { .pages = c->web.pages,
				 .clips = c->web.clips ? c->clips.dir : NULL,
				 .access = { .hosts = c->web.hosts, .machine = w->machine } };
	enum kws_status status = read_token(c, &conf.access, err);

	if (status == KWS_OK)
		status = need_token(conf.access.token, sockets->local, sockets->name, err);
	if (status != KWS_OK)
		return status;
	return kws_http_create(out, w->loop, w->feed, sockets, &conf, err);
}

/* ---- the textfile ---- */

static void write_textfile(void *ctx)
{
	web *w = ctx;
	kws_metrics_own own;
	kws_error err = { "" };
	enum kws_status status = KWS_ERR_NOMEM;
	size_t n;
	char *text;

	kws_http_counts(w->http, &own);
	text = kws_metrics_text(kws_feed_status(w->feed), &own, &n);
	if (text)
		status = kws_textfile_write(w->conf->web.textfile, text, n, &err);
	free(text);
	if (status != KWS_OK && !w->failing)
		kws_log(KWS_LOG_ERROR, "%s", text ? err.text : kws_strerror(status));
	w->failing = status != KWS_OK;
}

static void want_textfile(void *ctx)
{
	web *w = ctx;

	kws_feed_want_status(w->feed);
	kws_loop_time(w->loop, &w->written, answer_s, 0.0, write_textfile, w);
}

static void time_textfile(web *w)
{
	if (*w->conf->web.textfile)
		kws_loop_time(w->loop, &w->textfile, 0.0, w->conf->web.textfile_s, want_textfile,
			      w);
	else
		kws_loop_cancel(w->loop, &w->textfile);
	w->failing = false;
}

/* ---- start, reload, stop ---- */

static void stop(void *self)
{
	web *w = self;

	if (!w)
		return;
	kws_loop_cancel(w->loop, &w->textfile);
	kws_loop_cancel(w->loop, &w->written);
	kws_http_destroy(w->http);
	kws_feed_destroy(w->feed);
	kws_web_sockets_close(&w->sockets);
	free(w);
}

static enum kws_status start(void **self, kws_loop *loop, const kws_conf *c, kws_error *err)
{
	web *w = calloc(1, sizeof *w);
	char control[KWS_CONTROL_CLIENT_PATH];
	enum kws_status status;

	if (!w)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	w->loop = loop;
	w->conf = c;
	if (gethostname(w->machine, sizeof w->machine - 1) != 0)
		w->machine[0] = 0;
	kws_control_client_path(c, control);
	snprintf(w->listen, sizeof w->listen, "%s", c->web.listen);
	status = kws_web_sockets_open(&w->sockets, c->web.listen, err);
	if (status == KWS_OK && !w->sockets.n && !*c->web.textfile)
		status = kws_fail(
			err, KWS_ERR_ARG,
			"[web]: no listen, no socket of systemd, no textfile: nothing to do");
	if (status == KWS_OK)
		status = kws_feed_create(&w->feed, loop, control, err);
	if (status == KWS_OK)
		status = open_http(w, c, &w->sockets, &w->http, err);
	if (status != KWS_OK) {
		stop(w);
		return status;
	}
	time_textfile(w);
	if (w->sockets.n)
		kws_log(KWS_LOG_INFO, "the page is at http://%s/", w->sockets.name);
	*self = w;
	return KWS_OK;
}

/* Pages connect again by themselves, so that a new server takes the place of the old one. The
 * control socket stays the one of the start. */
static enum kws_status reload(void *self, const kws_conf *c, kws_error *err)
{
	web *w = self;
	kws_web_sockets sockets = w->sockets;
	kws_http *next;
	const bool other = !w->sockets.passed && strcmp(w->listen, c->web.listen) != 0;
	enum kws_status status = KWS_OK;

	if (other)
		status = kws_web_sockets_open(&sockets, c->web.listen, err);
	if (status == KWS_OK)
		status = open_http(w, c, &sockets, &next, err);
	if (status != KWS_OK) {
		if (other)
			kws_web_sockets_close(&sockets);
		return status;
	}
	kws_http_destroy(w->http);
	w->http = next;
	if (other)
		kws_web_sockets_close(&w->sockets);
	w->sockets = sockets;
	w->conf = c;
	snprintf(w->listen, sizeof w->listen, "%s", c->web.listen);
	time_textfile(w);
	return KWS_OK;
}

static void status_line(void *self, char *text, size_t n)
{
	const web *w = self;
	kws_metrics_own own;

	kws_http_counts(w->http, &own);
	snprintf(text, n, "%u pages, %lu requests; kwsd %s", own.pages, own.requests,
		 kws_feed_is_connected(w->feed) ? "answers" : "is away");
}

static const char *const sections[] = { "web", "control", "clips", "log", NULL };

const kws_gateway kws_web = {
	.name = "kwsd-web",
	.what = "The web page and the metrics of kwsd.\v"
		"SIGHUP reloads the configuration, SIGUSR1 logs the state, SIGTERM ends. "
		"kwsd-web(8) has more.",
	.sections = sections,
	.check = check,
	.start = start,
	.reload = reload,
	.status = status_line,
	.stop = stop,
};
