/* service_parts.h - shared by the files of the service: service.c runs it, service_reload.c changes
 * the configuration, service_control.c executes requests of the control socket. */
#ifndef KWS_DAEMON_SERVICE_PARTS_H
#define KWS_DAEMON_SERVICE_PARTS_H

#include "runtime/notify.h"
#include "daemon/service.h"

#include <pthread.h>

/* A listener's place on the loop. */
typedef struct {
	kws_service *service;
	kws_listener *listener;	      /* NULL: none */
	int fd, data_fd;	      /* on the loop; -1: none */
	enum kws_capture_state state; /* as last reported */
	kws_timer look;
} kws_service_place;

struct kws_service {
	const kws_conf_source *src;
	kws_running now;
	kws_observer observer;
	kws_loop *loop;
	kws_service_place place[KWS_CONF_AUDIOS];
	kws_notify notify;
	kws_timer tick, stats;
	double started;
	int status; /* exit status */

	/* reload: until built is ready, next, errors and refused belong to the thread, and now does
	 * not change */
	pthread_t builder;
	int built;
	bool building, again, refused;
	kws_setup next;
	char errors[KWS_CONTROL_ERRORS]; /* of the last reload, one per line */
	unsigned reloads;
};

/* End the loop, with this exit status. */
void kws_service_end(kws_service *s, int status);
/* Put the listeners of now on the loop, and remove all others. */
void kws_service_watch(kws_service *s);
/* Apply the configuration in force to timers, log and systemd. */
void kws_service_heed(kws_service *s);
/* Reload the configuration. LATER. BUSY: a reload is going on; another one follows. REFUSED: errors
 * has the reasons. */
enum kws_control_result kws_service_reload(kws_service *s);
/* Add an error to errors (KWS_CONTROL_ERRORS,), one per line. */
void kws_service_note(void *errors, const char *text);
/* The operations for the control socket; their ctx is the service. */
extern const kws_control_ops kws_service_control;

void kws_service_reload_ready(void *ctx, unsigned events); /* built is ready */
/* At the end: drop a reload that is going on. False: it did not finish within 50 ms, and its thread
 * still runs. */
bool kws_service_drop_reload(kws_service *s);

#endif
