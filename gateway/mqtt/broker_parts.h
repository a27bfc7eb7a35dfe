/* broker_parts.h - what the two sides of broker.h share: broker.c runs on the owner's thread,
 * broker_thread.c on the other one. Only for these files and their tests. */
#ifndef KWS_GATEWAY_MQTT_BROKER_PARTS_H
#define KWS_GATEWAY_MQTT_BROKER_PARTS_H

#include "gateway/mqtt/broker.h"

#include <mosquitto.h>
#include <pthread.h>

/* A note from one thread to the other. */
enum kws_broker_kind {
	KWS_BROKER_PUBLISH, /* to the thread */
	KWS_BROKER_SUBSCRIBE,
	KWS_BROKER_CONNECTED, /* from the thread */
	KWS_BROKER_LOST,
	KWS_BROKER_FORGOTTEN,
	KWS_BROKER_SENT,
	KWS_BROKER_RECEIVED,
};

typedef struct kws_broker_note {
	struct kws_broker_note *next;
	enum kws_broker_kind kind;
	int qos;
	bool retain;
	uint64_t token;
	size_t n;      /* bytes of the payload */
	char *payload; /* behind the topic, in the same memory; ends with a 0 */
	char topic[];  /* or a text */
} kws_broker_note;

typedef struct {
	kws_broker_note *first, **last;
	size_t n;
	int fd; /* an eventfd, ready while there are notes */
} kws_broker_notes;

typedef struct {
	int mid;
	uint64_t token;
} kws_broker_flight;

struct kws_broker {
	kws_broker_config conf;
	const kws_broker_ops *ops;
	void *ctx;
	bool connected; /* as the owner knows */
	pthread_t thread;

	pthread_mutex_t lock; /* for the rest of this block */
	pthread_cond_t changed;
	kws_broker_notes to_thread, to_owner;
	bool stopping, finished, abandoned;
	double deadline;
	unsigned long dropped;

	/* the thread's own */
	struct mosquitto *m;
	bool is_new;  /* m has never tried to connect */
	bool swept;   /* the session of an earlier process is gone */
	bool up;      /* CONNACK has come */
	bool anew;    /* connect again at once */
	bool amnesia; /* the broker has lost our session, and messages with it */
	char why[256];
	kws_broker_flight flight[2 * KWS_BROKER_QUEUE];
	size_t n_flight;
};

/* A new note; NULL: out of memory. */
kws_broker_note *kws_broker_note_create(enum kws_broker_kind kind, const char *topic,
					const void *payload, size_t n);
/* Hand over a note, which is taken. The lock MUST be held. */
void kws_broker_hand(kws_broker_notes *to, kws_broker_note *note);
/* Take the oldest note; NULL: there is none. Takes the lock. */
kws_broker_note *kws_broker_take(kws_broker *b, kws_broker_notes *from);
void kws_broker_free(kws_broker *b);

void *kws_broker_run(void *b);

/* How long to wait after the attempt-th failure in a row (from 0). random: 0..1 */
double kws_broker_delay(unsigned attempt, unsigned most_s, double random);

#endif
