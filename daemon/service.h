/* service.h - the running daemon: a loop with listeners and sinks that can change its configuration
 * while it runs. All on one thread. */
#ifndef KWS_DAEMON_SERVICE_H
#define KWS_DAEMON_SERVICE_H

#include "runtime/loop.h"
#include "daemon/setup.h"
#include "daemon/snapshot.h"

typedef struct kws_service kws_service;

/* Takes over setup, which has been opened, even on failure. src is read again on a reload and must
 * outlive the service. Handles SIGHUP, SIGUSR1, SIGTERM and SIGINT, which kws_signals_catch() has
 * caught. */
enum kws_status kws_service_create(kws_service **out, const kws_conf_source *src, kws_setup *setup,
				   kws_error *err);

/* Run until SIGTERM, SIGINT or the end of all audio. Returns the exit status; everything is
 * delivered, and s is freed. EX_TEMPFAIL: the devices hang, and only a new process can help; then
 * memory is not freed. */
int kws_service_run(kws_service *s);

/* The state of the daemon now. */
void kws_service_snapshot(kws_service *s, kws_snapshot *out);

#endif
