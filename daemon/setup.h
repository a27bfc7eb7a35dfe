/* setup.h - from a configuration file to everything that it names; used at the start, and beside
 * the running daemon on reload. */
#ifndef KWS_DAEMON_SETUP_H
#define KWS_DAEMON_SETUP_H

#include "daemon/conf.h"
#include "daemon/engine.h"
#include "daemon/sinks.h"

enum { KWS_SETUP_OVERRIDES = 64 };

/* Where the configuration comes from. */
typedef struct {
	const char *path;		      /* NULL: defaults only */
	bool optional;			      /* a missing file means defaults */
	const char *set[KWS_SETUP_OVERRIDES]; /* "section.key=value", after the file */
	size_t n_set;
} kws_setup_source;

/* What runs. */
typedef struct {
	kws_conf conf;
	kws_sinks *sinks;
	char model_hash[65];
} kws_running;

/* What is to run next: built, and visible to nobody yet. */
typedef struct {
	kws_conf conf;
	kws_engine *engine; /* NULL: the running one stays */
	kws_sinks *sinks;
} kws_setup;

/* Read and check. Returns how many things are wrong; fn is told of each. */
int kws_setup_conf(kws_conf *c, const kws_setup_source *src, kws_conf_error_fn *fn, void *ctx);

/* Create what s->conf asks for. now: what runs, to be kept where nothing changes, only looked at,
 * and unchanged until build has returned; NULL at the start. Nothing changes that others can see:
 * no file, no socket. On failure nothing is left behind. */
enum kws_status kws_setup_build(kws_setup *s, const kws_running *now, kws_error *err);
void kws_setup_drop(kws_setup *s); /* what was built is not wanted */

/* At the start: make the sinks visible. On failure s has been dropped. */
enum kws_status kws_setup_open(kws_setup *s, kws_error *err);

/* On reload: the new sinks take the place of those that run, which have up to timeout_ms to deliver
 * what they hold, and now->conf becomes s->conf. Returns what kws_sinks_swap does. */
bool kws_setup_swap(kws_setup *s, kws_running *now, int timeout_ms);

#endif
