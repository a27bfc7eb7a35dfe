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

#endif
