/* kwsd-wyoming - a wake-word server of the Wyoming protocol: hears the audio that its clients send.
 * See kwsd-wyoming(8). */
#include "gateway/program.h"
#include "gateway/wyoming/clients.h"
#include "gateway/wyoming/listen.h"
#include "gateway/wyoming/loader.h"
#include "gateway/wyoming/watch.h"
#include "runtime/log.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How often the model files are looked at. */
static const double look_s = 1.0;

typedef struct {
	kws_loop *loop;
	kws_listen listen;
	kws_clients *clients;
	kws_roster *roster;
	kws_loader *loader;
	kws_conf conf; /* the latest, whose models are open or being opened */
	bool again;    /* it came while models were being opened */
	bool stuck;    /* nothing is heard any more */
	kws_watch watch;
	kws_timer look;
} service;

/* The words as check found them, for start. */
static kws_roster *checked;
static bool runs;

static enum kws_status check(const kws_conf *c, kws_error *err)
{
	kws_uri u[KWS_LISTEN_ADDRESSES];
	size_t n;
	enum kws_status status = kws_uris_read(u, &n, c->wyoming.uri, err);

	/* while clients are served, the loader does the rest */
	if (status != KWS_OK || runs)
		return status;
	kws_roster_release(checked);
	return kws_roster_load(&checked, c, NULL, err);
}

/* ---- words ---- */

static void say_words(const kws_roster *r)
{
	for (size_t i = 0; i < r->n_parts; i++) {
		const kws_roster_part *p = &r->part[i];

		kws_log(KWS_LOG_INFO, "model %s%s%s %.12s", p->name, *p->name ? ": " : "",
			kws_model_name(p->model), kws_model_hash(p->model));
	}
	kws_log(r->n_words ? KWS_LOG_INFO : KWS_LOG_WARNING, "%zu words can be asked for",
		r->n_words);
}

static void open_models(service *s)
{
	if (kws_loader_is_busy(s->loader)) {
		s->again = true;
		return;
	}
	s->again = false;
	kws_watch_begin(&s->watch, &s->conf);
	kws_loader_begin(s->loader, &s->conf, s->roster);
}

static void on_opened(void *ctx, kws_roster *r, const kws_conf *c, const kws_error *err)
{
	service *s = ctx;

	(void)c;
	if (r) {
		kws_clients_change(s->clients, r);
		kws_roster_release(s->roster);
		s->roster = r;
		say_words(r);
	} else {
		kws_log(KWS_LOG_ERROR, "%s", err->text);
		kws_log(KWS_LOG_ERROR, "the words stay as they were");
	}
	if (s->again)
		open_models(s);
}

static void look(void *ctx)
{
	service *s = ctx;

	if (!kws_loader_is_busy(s->loader) && kws_watch_look(&s->watch, &s->conf)) {
		kws_log(KWS_LOG_INFO, "a model file has changed");
		open_models(s);
	}
}

/* ---- the service ---- */

static kws_clients_config config_of(const kws_conf *c)
{
	return (kws_clients_config){ c->wyoming.clients, c->wyoming.idle_s };
}

static void on_gone(void *ctx)
{
	service *s = ctx;

	kws_loop_stop(s->loop);
}

static enum kws_status receive_clients(service *s, kws_error *err)
{
	enum kws_status status = KWS_OK;

	if (s->listen.is_passed)
		kws_log(KWS_LOG_INFO, "clients connect to the sockets of systemd");
	else
		kws_log(KWS_LOG_INFO, "clients connect to %s", s->conf.wyoming.uri);
	if (s->listen.is_stdio)
		return kws_clients_admit(s->clients, STDIN_FILENO, STDOUT_FILENO, on_gone, s, err);
	for (size_t i = 0; i < s->listen.n && status == KWS_OK; i++)
		status = kws_clients_listen(s->clients, s->listen.fd[i], err);
	return status;
}

static void stop(void *self)
{
	service *s = self;

	if (!s)
		return;
	kws_loop_cancel(s->loop, &s->look);
	kws_loader_destroy(s->loader);
	kws_clients_destroy(s->clients);
	kws_listen_close(&s->listen);
	kws_roster_release(s->roster);
	free(s);
}

static enum kws_status start(void **self, kws_loop *l, const kws_conf *c, kws_error *err)
{
	const kws_clients_config config = config_of(c);
	service *s = calloc(1, sizeof *s);
	enum kws_status status;

	*self = NULL;
	if (!s)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	s->loop = l;
	s->conf = *c;
	s->roster = checked;
	checked = NULL;
	kws_watch_begin(&s->watch, c);
	status = kws_listen_open(&s->listen, &c->wyoming, err);
	if (status == KWS_OK)
		status = kws_loader_create(&s->loader, l, on_opened, s, err);
	if (status == KWS_OK)
		status = kws_clients_create(&s->clients, l, &config, s->roster, err);
	if (status == KWS_OK)
		status = receive_clients(s, err);
	if (status != KWS_OK) {
		stop(s);
		return status;
	}
	say_words(s->roster);
	kws_loop_time(l, &s->look, look_s, look_s, look, s);
	runs = true;
	*self = s;
	return KWS_OK;
}

static enum kws_status reload(void *self, const kws_conf *c, kws_error *err)
{
	const kws_clients_config config = config_of(c);
	const kws_conf_wyoming *was, *is = &c->wyoming;
	service *s = self;

	was = &s->conf.wyoming;
	if (!s->listen.is_passed
	    && (strcmp(was->uri, is->uri) != 0 || was->mode != is->mode
		|| strcmp(was->group, is->group) != 0))
		return kws_fail(
			err, KWS_ERR_ARG,
			"[wyoming] uri, mode, group: a change of addresses takes a restart");
	kws_clients_configure(s->clients, &config);
	s->conf = *c;
	open_models(s);
	return KWS_OK;
}

static bool is_alive(void *self)
{
	service *s = self;
	const bool was = s->stuck;

	s->stuck = !kws_clients_hear(s->clients);
	if (s->stuck && !was)
		kws_log(KWS_LOG_ERROR, "hearing has stood still for 30 s");
	return !s->stuck;
}

static void status(void *self, char *text, size_t n)
{
	const service *s = self;
	kws_clients_stats st;

	kws_clients_stats_get(s->clients, &st);
	snprintf(text, n,
		 "%u clients, %u of them streaming; %zu words; busy %.0f %% of the time; %lu "
		 "served, "
		 "%lu sent away",
		 st.connected, st.streaming, s->roster->n_words, 100.0 * st.load, st.served,
		 st.refused);
}

int main(int argc, char **argv)
{
	static const char *const sections[] = { "wyoming",   "model", "decision",
						"threshold", "log",   NULL };
	static const kws_gateway gateway = {
		.name = "kwsd-wyoming",
		.what = "Hear the audio of Wyoming clients, and tell them which words are in it.",
		.sections = sections,
		.check = check,
		.start = start,
		.reload = reload,
		.status = status,
		.is_alive = is_alive,
		.stop = stop,
	};

	return kws_gateway_main(&gateway, argc, argv);
}
