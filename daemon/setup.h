/* setup.h - builds everything that a configuration names: at the start, and on a reload next to the
 * running daemon. */
#ifndef KWS_DAEMON_SETUP_H
#define KWS_DAEMON_SETUP_H

#include "daemon/clips.h"
#include "conf/source.h"
#include "daemon/control.h"
#include "daemon/listener.h"
#include "daemon/models.h"
#include "daemon/sinks.h"

/* What runs. */
typedef struct {
	kws_conf conf; /* in force: files and options, then kept settings, then those not kept */
	kws_conf kept; /* without those not kept: what the next start or reload would use */
	kws_conf said; /* files and options only */
	kws_models models; /* of conf.model */
	kws_sinks *sinks;
	kws_control *control;			 /* with or without a socket */
	kws_clips *clips;			 /* NULL: off */
	kws_listener *listener[KWS_CONF_AUDIOS]; /* of conf.audio; NULL: could not be created */
} kws_running;

/* What will run next: built, but not visible outside yet. */
typedef struct {
	kws_conf conf, said;
	kws_models models;
	kws_sinks *sinks;
	kws_clips *clips; /* NULL: off, or keep_clips */
	bool keep_clips;  /* the running clips stay */
	kws_server *door; /* of the control socket; NULL: it stays, or there is none */
	/* By conf.audio and conf.model; NULL: that audio does not use that model, or the running
	 * engine stays. */
	kws_engine *engine[KWS_CONF_AUDIOS][KWS_CONF_MODELS];
} kws_setup;

/* Read and check s->conf and s->said. Returns the number of errors; fn is called for each. Kept
 * settings that are no longer valid are left out, with a line in the log. */
int kws_setup_read(kws_setup *s, const kws_conf_source *src, kws_conf_error_fn *fn, void *ctx);

/* The file for kept settings, from control.state; "": there is none. */
void kws_setup_state_path(const kws_conf *c, char path[KWS_CONF_TEXT]);

/* Create everything that s->conf names. now: what runs; parts that do not change are kept. It is
 * only read and MUST NOT change until build has returned; NULL at the start. Nothing changes
 * outside the process: no file, no socket. On failure nothing is left behind. */
enum kws_status kws_setup_build(kws_setup *s, const kws_running *now, kws_error *err);
void kws_setup_drop(kws_setup *s); /* free what was built */

/* At the start: make the sinks visible. On failure s has been dropped. */
enum kws_status kws_setup_open(kws_setup *s, kws_error *err);

/* Replace what runs by what was built, between two hops. now becomes s, and s is used up. Events
 * and frames go to `to', which MUST outlive now. Listeners that are not used any more decide their
 * open words and are put into gone (KWS_CONF_AUDIOS,), to be retired. Old sinks have up to
 * timeout_ms to deliver what they hold. False: a part could not be opened after all, and the log
 * says which; the next build tries again. Also used at the start: then now is all zero except its
 * sinks, which are those of s, opened. */
bool kws_setup_swap(kws_setup *s, kws_running *now, const kws_observer *to, kws_listener **gone,
		    int timeout_ms);

#endif
