/* service_parts.h - what the files of the service share: service.c runs, service_reload.c takes another
 * configuration, service_control.c does what the control socket asks for. */
#ifndef KWS_DAEMON_SERVICE_PARTS_H
#define KWS_DAEMON_SERVICE_PARTS_H

#include "daemon/notify.h"
#include "daemon/service.h"

#include <pthread.h>

/* A listener's place on the loop. */
typedef struct {
	kws_service *service;
	kws_listener *listener;	      /* NULL: none */
	int fd, data_fd;	      /* on the loop; -1: none */
	enum kws_capture_state state; /* as it was last told */
} kws_service_place;

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

	/* reload: next, errors and refused are the thread's, and now stays as it is, until built is
	 * ready */
	pthread_t builder;
	int built;
	bool building, again, refused;
	kws_setup next;
	char errors[KWS_CONTROL_ERRORS]; /* of the last one, a line each */
	unsigned reloads;
};

/* End the loop, to exit with this status. */
void kws_service_end(kws_service *s, int status);
/* What is now.listener is on the loop, and nothing else. */
void kws_service_watch(kws_service *s);
/* What the configuration in force says of timers, log and systemd. */
void kws_service_heed(kws_service *s);
/* Read the configuration again: LATER, or BUSY: that is going on, and is done once more. REFUSED: errors say
 * why. */
enum kws_control_result kws_service_reload(kws_service *s);
/* What the control socket may do; its ctx is the service. */
extern const kws_control_ops kws_service_control;

void kws_service_reload_ready(void *ctx, unsigned events); /* built is ready */
/* A reload that comes too late. One that does not come soon is left behind: returns false. */
bool kws_service_drop_reload(kws_service *s);

#endif
