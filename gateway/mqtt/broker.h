/* broker.h - the connection to an MQTT broker, on a thread of its own.
 *
 * The thread connects, connects again after it was refused or lost (first after about a second, then
 * after twice as long, and so on, each time with jitter), and does everything that may wait. Only it uses
 * libmosquitto. The functions here are for the owner's thread, and never wait.
 *
 * A message of QoS 1 or 2 that was published before the connection was lost is delivered after it is
 * back. The session on the broker lasts as long as the process: with QoS 2, a message comes once even
 * then. A new process begins a new session, and so does a broker that has lost its memory. */
#ifndef KWS_GATEWAY_MQTT_BROKER_H
#define KWS_GATEWAY_MQTT_BROKER_H

#include "kws.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct kws_broker kws_broker;

enum {
	KWS_BROKER_QUEUE = 256
}; /* messages that may wait for the other thread, in each direction */
enum { KWS_BROKER_MESSAGE = 65536 }; /* bytes of the longest message that is received */

typedef struct {
	char host[256], client_id[128];
	unsigned port, keepalive_s, backoff_max_s;
	char user[256], password[1024]; /* user "": none is sent */
	bool tls;
	char ca[256];			/* file of certificates, "": those of the system */
	char cert[256], key[256];	/* of the client; "": none */
	char will_topic[512], will[32]; /* what the broker publishes, retained, when we are lost */
} kws_broker_config;

typedef struct {
	/* The time to subscribe. */
	void (*connected)(void *ctx);
	/* The connection was lost, or an attempt has failed. */
	void (*lost)(void *ctx, const char *why);
	/* The messages that were published, and of which sent did not tell, are forgotten: publish them
	 * again when connected. */
	void (*forgotten)(void *ctx);
	/* The message of this token is with the broker. Tokens come once. */
	void (*sent)(void *ctx, uint64_t token);
	/* payload (n,) with a final 0 behind it. retained: it is old, kept by the broker. */
	void (*message)(void *ctx, const char *topic, const char *payload, size_t n, bool retained);
} kws_broker_ops;

/* Start the thread. It has a copy of c. */
enum kws_status kws_broker_create(kws_broker **out, const kws_broker_config *c,
				  const kws_broker_ops *ops, void *ctx, kws_error *err);

/* Poll it for input; if it is ready, call kws_broker_serve, which calls the ops. */
int kws_broker_fd(const kws_broker *b);
void kws_broker_serve(kws_broker *b);

/* Publish payload (n,). Returns false if there is no room, or no connection; then sent will not be
 * called. */
bool kws_broker_publish(kws_broker *b, const char *topic, const void *payload, size_t n, int qos,
			bool retain, uint64_t token);
bool kws_broker_subscribe(kws_broker *b, const char *topic, int qos);

/* Messages received that found no room. */
unsigned long kws_broker_dropped(kws_broker *b);

/* Publish the will, disconnect, and end the thread, within timeout_ms; a thread that hangs in a system
 * call is left behind. b may be NULL. */
void kws_broker_stop(kws_broker *b, int timeout_ms);

#endif
