#include "gateway/program.h"

#include "runtime/clock.h"
#include "runtime/log.h"
#include "runtime/notify.h"
#include "runtime/signals.h"
#include "descriptors.h"

#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static const double tick_s = 0.5;

typedef struct {
	const kws_gateway *g;
	kws_conf_source src;
	bool test;
	char level[32];
	kws_conf conf; /* in force */
	kws_conf next; /* while it is checked */
	kws_loop *loop;
	kws_timer tick;
	kws_notify notify;
	void *self;
} program;

/* ---- options ---- */

static const struct argp_option table[] = {
	{ "config", 'c', "FILE", 0, "read FILE instead of " KWS_SYSCONFDIR "/kwsd/kwsd.conf", 0 },
	{ "test", 't', NULL, 0, "check the configuration, print what is used of it and exit", 0 },
	{ "set", 'o', "SECTION.KEY=VALUE", 0, "override one key of the file; may be repeated", 0 },
	{ "log-level", 'l', "LEVEL", 0,
	  "the same as -o log.level=LEVEL: error, warning, info, debug", 0 },
	{ NULL, 0, NULL, 0, NULL, 0 }
};

static void override(struct argp_state *state, program *p, const char *text)
{
	if (p->src.n_set == KWS_CONF_OVERRIDES)
		argp_error(state, "more than %d overrides", KWS_CONF_OVERRIDES);
	else
		p->src.set[p->src.n_set++] = text;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	program *p = state->input;

	switch (key) {
	case 'c':
		p->src.path = arg;
		p->src.optional = false;
		return 0;
	case 't': p->test = true; return 0;
	case 'o': override(state, p, arg); return 0;
	case 'l':
		if (snprintf(p->level, sizeof p->level, "log.level=%s", arg)
		    >= (int)sizeof p->level)
			argp_error(state, "%s: too long", arg);
		override(state, p, p->level);
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

/* ---- configuration ---- */

static void say(void *ctx, const char *text)
{
	(void)ctx;
	kws_log(KWS_LOG_ERROR, "%s", text);
}

/* Read p->next, and check it. The log says what is wrong. */
static enum kws_status read_next(program *p)
{
	kws_error err = { "" };
	enum kws_status status;

	memset(&p->next, 0, sizeof p->next);
	if (kws_conf_gather(&p->next, &p->src, p->g->name, say, NULL))
		return KWS_ERR_ARG;
	status = p->g->check(&p->next, &err);
	if (status != KWS_OK)
		kws_log(KWS_LOG_ERROR, "%s", err.text);
	return status;
}

static void say_status(program *p, int level)
{
	char text[KWS_GATEWAY_STATUS] = "";

	p->g->status(p->self, text, sizeof text);
	kws_notify_status(&p->notify, text);
	if (level)
		kws_log(level, "%s", text);
}

static void reload(program *p)
{
	static kws_conf was; /* large */
	kws_error err = { "" };
	enum kws_status status;

	kws_notify_reloading(&p->notify, kws_clock_mono());
	status = read_next(p);
	if (status == KWS_OK) {
		was = p->conf;
		p->conf = p->next;
		status = p->g->reload(p->self, &p->conf, &err);
		if (status != KWS_OK) {
			p->conf = was;
			kws_log(KWS_LOG_ERROR, "%s", err.text);
		}
	}
	if (status == KWS_OK) {
		kws_log_level((int)p->conf.log.level);
		kws_log(KWS_LOG_INFO, "the configuration was read again");
	} else {
		kws_log(KWS_LOG_ERROR, "reload refused: the configuration stays as it was");
	}
	kws_notify_reloaded(&p->notify);
}

/* ---- the loop ---- */

static void on_signal(void *ctx, unsigned events)
{
	program *p = ctx;

	(void)events;
	for (int number = kws_signals_next(); number; number = kws_signals_next())
		switch (number) {
		case SIGHUP: reload(p); break;
		case SIGUSR1: say_status(p, KWS_LOG_INFO); break;
		default: kws_loop_stop(p->loop); break;
		}
}

static void on_tick(void *ctx)
{
	program *p = ctx;

	if (p->g->is_alive && !p->g->is_alive(p->self))
		return;
	/* nothing to wait for: ready now, and alive as long as the loop is */
	if (kws_notify_step(&p->notify, false, 0.0, kws_clock_mono()))
		say_status(p, 0);
}

static enum kws_status start(program *p, kws_error *err)
{
	enum kws_status status = kws_loop_create(&p->loop, err);

	if (status == KWS_OK)
		status = kws_loop_add(p->loop, kws_signals_fd(), KWS_LOOP_READ, on_signal, p, err);
	if (status == KWS_OK)
		status = p->g->start(&p->self, p->loop, &p->conf, err);
	if (status == KWS_OK)
		kws_loop_time(p->loop, &p->tick, 0.0, tick_s, on_tick, p);
	return status;
}

static int run(program *p)
{
	kws_error err = { "" };
	enum kws_status status = start(p, &err);
	const bool started = status == KWS_OK;

	if (started) {
		kws_log(KWS_LOG_INFO, "version %s; configuration %s", KWS_VERSION, p->src.path);
		status = kws_loop_run(p->loop, &err);
		kws_notify_stopping();
		p->g->stop(p->self);
	}
	kws_loop_destroy(p->loop);
	if (status == KWS_OK)
		return EX_OK;
	kws_log(KWS_LOG_ERROR, "%s", err.text);
	return !started && status == KWS_ERR_ARG ? EX_CONFIG : EX_OSERR;
}

static int test(const program *p)
{
	kws_conf_print_sections(&p->next, p->g->sections, stdout);
	if (fflush(stdout) == 0)
		return EX_OK;
	kws_log(KWS_LOG_ERROR, "standard output: %s", strerror(errno));
	return EX_IOERR;
}

int kws_gateway_main(const kws_gateway *g, int argc, char **argv)
{
	static program p; /* large */
	const struct argp argp = { table, parse, NULL, g->what, NULL, NULL, NULL };
	static char version[64];
	kws_error err = { "" };

	snprintf(version, sizeof version, "%s %s", g->name, KWS_VERSION);
	argp_program_version = version;
	kws_log_name(g->name);
	if (!kws_start()) {
		kws_log(KWS_LOG_ERROR, "/dev/null: %s", kws_strerrno(errno));
		return EX_OSERR;
	}
	p.g = g;
	p.src.path = KWS_SYSCONFDIR "/kwsd/kwsd.conf";
	p.src.optional = true;
	argp_parse(&argp, argc, argv, 0, NULL, &p);
	if (kws_signals_catch(&err) != KWS_OK) {
		kws_log(KWS_LOG_ERROR, "%s", err.text);
		return EX_OSERR;
	}
	if (read_next(&p) != KWS_OK)
		return EX_CONFIG;
	if (p.test)
		return test(&p);
	p.conf = p.next;
	kws_log_level((int)p.conf.log.level);
	kws_log_open(p.conf.log.level >= KWS_LOG_DEBUG);
	kws_notify_init(&p.notify, 0, kws_clock_mono());
	return run(&p);
}
