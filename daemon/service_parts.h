/* service_parts.h - what the files of the service share: service.c runs, service_reload.c takes another
 * configuration, service_set.c changes single keys of it. */
#ifndef KWS_DAEMON_SERVICE_PARTS_H
#define KWS_DAEMON_SERVICE_PARTS_H

#include "daemon/notify.h"
#include "daemon/service.h"

#include <pthread.h>

enum { KWS_SERVICE_WAITERS = 64 };

/* A listener's place on the loop. */
typedef struct {
	kws_service *service;
	kws_listener *listener;	      /* NULL: none */
	int fd, data_fd;	      /* on the loop; -1: none */
	enum kws_capture_state state; /* as it was last told */
} kws_service_place;

typedef struct {
	kws_service_done_fn *done;
	void *ctx;
	bool next; /* not of the reload that is built now, but of the one after it */
} kws_service_waiter;

struct kws_service {
	const kws_setup_source *src;
	kws_running now;
	kws_observer observer;
	kws_loop *loop;
	kws_service_place place[KWS_CONF_AUDIOS];
	kws_notify notify;
	kws_timer tick, stats;
	double started;
	int status; /* to exit with */

	/* reload: next, error and refused are the thread's, and now stays as it is, until built is
	 * ready */
	pthread_t builder;
	int built;
	bool building, again, refused;
	kws_setup next;
	char error[KWS_SERVICE_ERROR]; /* of the last one */
	unsigned reloads;
	kws_service_waiter waiter[KWS_SERVICE_WAITERS];
	size_t n_waiters;
};

/* End the loop, to exit with this status. */
void kws_service_end(kws_service *s, int status);
/* What is now.listener is on the loop, and nothing else. */
void kws_service_watch(kws_service *s);
/* What the configuration in force says of timers, log and systemd. */
void kws_service_heed(kws_service *s);
/* An event, or a near miss; ctx is the service. */
void kws_service_report(void *ctx, const kws_report *r, bool near);

void kws_service_reload_ready(void *ctx, unsigned events); /* built is ready */
/* A reload that comes too late. One that does not come soon is left behind: returns false. */
bool kws_service_drop_reload(kws_service *s);

#endif
