/* service.h - the running daemon: a loop with listeners and sinks on it, which takes another
 * configuration while it runs. All of one thread. */
#ifndef KWS_DAEMON_SERVICE_H
#define KWS_DAEMON_SERVICE_H

#include "daemon/loop.h"
#include "daemon/setup.h"
#include "daemon/snapshot.h"

typedef struct kws_service kws_service;

/* Takes over what setup holds, which has been opened, also when it fails. src is read again on a
 * reload and must live as long. Heeds SIGHUP, SIGUSR1, SIGTERM and SIGINT, which kws_signals_catch() has
 * caught. */
enum kws_status kws_service_create(kws_service **out, const kws_setup_source *src, kws_setup *setup,
				   kws_error *err);

/* Until SIGTERM, SIGINT or the end of all audio: the exit status, with everything delivered and
 * freed; or EX_TEMPFAIL when the devices hang and only a new process can help: then memory is left
 * behind. s is gone. */
int kws_service_run(kws_service *s);

/* All there is to tell, as of now. */
void kws_service_snapshot(kws_service *s, kws_snapshot *out);

/* Read the configuration again, as SIGHUP does. done is called when it has been taken, or refused; error:
 * what is wrong, one line each; "": nothing. One that is asked for while another is built begins after
 * it. False: too many wait already, and done is not called. */
enum { KWS_SERVICE_ERROR = 2048 };
typedef void kws_service_done_fn(void *ctx, bool taken, const char *error);
bool kws_service_reload(kws_service *s, kws_service_done_fn *done, void *ctx);

/* Change one key, "section.key=value" or "section NAME.key=value", from the next 10 ms of audio on: those
 * that kws_conf_set_live() takes. It holds until the next reload, or with keep until it is changed again:
 * it is then written to control.state. KWS_ERR_ARG, KWS_ERR_IO: nothing has changed. */
enum kws_status kws_service_set(kws_service *s, const char *assignment, bool keep, kws_error *err);

/* Where frames and near misses may be listened to: whoever listens sets the functions, and takes them off
 * again. */
kws_observer *kws_service_observer(kws_service *s);

#endif
