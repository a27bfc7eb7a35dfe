/* setup.h - from a configuration file to everything that it names; used at the start, and beside
 * the running daemon on reload. */
#ifndef KWS_DAEMON_SETUP_H
#define KWS_DAEMON_SETUP_H

#include "daemon/clips.h"
#include "daemon/conf.h"
#include "daemon/control.h"
#include "daemon/listener.h"
#include "daemon/models.h"
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
	kws_conf conf; /* in force: as files and options say, kept settings over it, and others */
	kws_conf kept; /* without the others: what the next start and reload would find */
	kws_conf said; /* by files and options */
	kws_models models; /* of conf.model */
	kws_sinks *sinks;
	kws_control *control;			 /* with or without a socket */
	kws_clips *clips;			 /* NULL: off */
	kws_listener *listener[KWS_CONF_AUDIOS]; /* of conf.audio; NULL: it could not be made */
} kws_running;

/* What is to run next: built, and visible to nobody yet. */
typedef struct {
	kws_conf conf, said;
	kws_models models;
	kws_sinks *sinks;
	kws_clips *clips; /* NULL: off, or */
	bool keep_clips;  /* the running ones stay */
	kws_server *door; /* of the control socket; NULL: it stays, or there is none */
	/* Of conf.audio and conf.model; NULL: it does not hear that, or the running one stays. */
	kws_engine *engine[KWS_CONF_AUDIOS][KWS_CONF_MODELS];
} kws_setup;

/* Read and check s->conf and s->said. Returns how many things are wrong; fn is told of each. What is kept
 * and does not fit any more is left out, with a word in the log. */
int kws_setup_read(kws_setup *s, const kws_setup_source *src, kws_conf_error_fn *fn, void *ctx);

/* The file for what is kept, from control.state; "": there is none. */
void kws_setup_state_path(const kws_conf *c, char path[KWS_CONF_TEXT]);

/* Create what s->conf asks for. now: what runs, to be kept where nothing changes, only looked at,
 * and unchanged until build has returned; NULL at the start. Nothing changes that others can see:
 * no file, no socket. On failure nothing is left behind. */
enum kws_status kws_setup_build(kws_setup *s, const kws_running *now, kws_error *err);
void kws_setup_drop(kws_setup *s); /* what was built is not wanted */

/* At the start: make the sinks visible. On failure s has been dropped. */
enum kws_status kws_setup_open(kws_setup *s, kws_error *err);

/* What was built takes the place of what runs, between two hops: now becomes s, which is gone. What is heard goes
 * to `to', which MUST outlive now. Listeners
 * that are not wanted any more have decided what was open and are put into gone (KWS_CONF_AUDIOS,), to be
 * retired. Sinks have up to timeout_ms to deliver what they hold. False: a part could not be opened after
 * all, and the log says which; the next build tries again. Also at the start, with now all zero and its
 * sinks those of s, which are open. */
bool kws_setup_swap(kws_setup *s, kws_running *now, const kws_observer *to, kws_listener **gone,
		    int timeout_ms);

#endif
