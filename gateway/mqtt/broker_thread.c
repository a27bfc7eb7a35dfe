#include "gateway/mqtt/broker_parts.h"

#include "runtime/clock.h"
#include "runtime/log.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* CONNACK_S: for the broker's answer to CONNECT. STEADY_S: after a connection of this length, the
 * waiting times begin anew. LOOK_MS: how often the library looks after its keepalive. */
enum { CONNACK_S = 30, STEADY_S = 30, LOOK_MS = 1000 };
static const char system_certificates[] = "/etc/ssl/certs";

double kws_broker_delay(unsigned attempt, unsigned most_s, double random)
{
	const double most = most_s;
	const double delay = attempt < 20 ? (double)(1u << attempt) : most;

	return (delay < most ? delay : most) * (0.5 + 0.5 * random);
}

static double random_share(void)
{
	uint32_t bits = 0;

	if (getrandom(&bits, sizeof bits, GRND_NONBLOCK) < 0)
		bits = (uint32_t)(kws_clock_mono() * 1e6);
	return (double)bits / 4294967295.0;
}

/* ---- notes to the owner ---- */

/* bounded: it may be dropped if there are too many. */
static void tell(kws_broker *b, kws_broker_note *note, bool bounded)
{
	pthread_mutex_lock(&b->lock);
	if (note && (!bounded || b->to_owner.n < KWS_BROKER_QUEUE)) {
		kws_broker_hand(&b->to_owner, note);
		note = NULL;
	} else if (bounded) {
		b->dropped++;
	}
	pthread_mutex_unlock(&b->lock);
	free(note);
}

static void tell_sent(kws_broker *b, uint64_t token)
{
	kws_broker_note *note = kws_broker_note_create(KWS_BROKER_SENT, "", "", 0);

	if (note)
		note->token = token;
	tell(b, note, false);
}

static bool is_stopping(kws_broker *b, double *deadline)
{
	pthread_mutex_lock(&b->lock);
	const bool stopping = b->stopping;
	*deadline = b->deadline;
	pthread_mutex_unlock(&b->lock);
	return stopping;
}

/* ---- callbacks of the library, on this thread ---- */

static void on_log(struct mosquitto *m, void *ctx, int level, const char *text)
{
	kws_broker *b = ctx;

	(void)m;
	if (level & (MOSQ_LOG_ERR | MOSQ_LOG_WARNING))
		snprintf(b->why, sizeof b->why, "%s", text);
	else
		kws_log(KWS_LOG_DEBUG, "mqtt: %s", text);
}

static void on_connect(struct mosquitto *m, void *ctx, int code, int flags)
{
	kws_broker *b = ctx;
	const bool is_known = flags & 1;

	if (code) {
		snprintf(b->why, sizeof b->why, "%s", mosquitto_connack_string(code));
		return;
	}
	if (b->n_flight && !is_known) {
		/* nothing that the library sends now counts: for this broker, it is no repetition */
		b->amnesia = true;
		mosquitto_disconnect(m);
		return;
	}
	b->up = true;
	if (b->swept)
		tell(b, kws_broker_note_create(KWS_BROKER_CONNECTED, "", "", 0), false);
}

static void on_publish(struct mosquitto *m, void *ctx, int mid)
{
	kws_broker *b = ctx;

	(void)m;
	for (size_t i = 0; i < b->n_flight; i++)
		if (b->flight[i].mid == mid) {
			tell_sent(b, b->flight[i].token);
			b->flight[i] = b->flight[--b->n_flight];
			return;
		}
}

static void on_message(struct mosquitto *m, void *ctx, const struct mosquitto_message *msg)
{
	kws_broker *b = ctx;
	kws_broker_note *note = NULL;

	(void)m;
	if (msg->payloadlen <= KWS_BROKER_MESSAGE)
		note = kws_broker_note_create(KWS_BROKER_RECEIVED, msg->topic, msg->payload,
					      (size_t)msg->payloadlen);
	if (note)
		note->retain = msg->retain;
	tell(b, note, true);
}

/* A key with a password would make OpenSSL ask for it on the terminal. */
static int no_password(char *text, int size, int for_writing, void *ctx)
{
	(void)text;
	(void)size;
	(void)for_writing;
	(void)ctx;
	return 0;
}

/* ---- connecting ---- */

static int set_up(kws_broker *b)
{
	const kws_broker_config *c = &b->conf;
	int code = MOSQ_ERR_SUCCESS;

	mosquitto_log_callback_set(b->m, on_log);
	mosquitto_connect_with_flags_callback_set(b->m, on_connect);
	mosquitto_publish_callback_set(b->m, on_publish);
	mosquitto_message_callback_set(b->m, on_message);
	mosquitto_int_option(b->m, MOSQ_OPT_TCP_NODELAY, 1);
	if (*c->user)
		code = mosquitto_username_pw_set(b->m, c->user, *c->password ? c->password : NULL);
	if (!code && c->tls)
		code = mosquitto_tls_set(
			b->m, *c->ca ? c->ca : NULL, *c->ca ? NULL : system_certificates,
			*c->cert ? c->cert : NULL, *c->key ? c->key : NULL, no_password);
	if (code && c->tls && !b->why[0])
		snprintf(b->why, sizeof b->why, "ca, cert or key cannot be used");
	if (!code && b->swept)
		code = mosquitto_will_set(b->m, c->will_topic, (int)strlen(c->will), c->will, 1,
					  true);
	return code;
}

/* The library's object. The first one only ends the session that an earlier process may have left on
 * the broker: there, the numbers of messages begin anew with this process. */
static int make_object(kws_broker *b)
{
	int code;

	b->m = mosquitto_new(b->conf.client_id, !b->swept, b);
	if (!b->m)
		return MOSQ_ERR_NOMEM;
	b->is_new = true;
	code = set_up(b);
	if (code) {
		mosquitto_destroy(b->m);
		b->m = NULL;
	}
	return code;
}

/* errno belongs to this call. */
static const char *text_of(int code)
{
	return code == MOSQ_ERR_ERRNO ? kws_strerrno(errno)
	       : code == MOSQ_ERR_EAI ? "the name of the host cannot be found"
				      : mosquitto_strerror(code);
}

/* May wait as long as the network does. */
static int begin(kws_broker *b)
{
	const kws_broker_config *c = &b->conf;
	int code = MOSQ_ERR_SUCCESS;

	b->up = b->anew = false;
	b->why[0] = 0;
	if (!b->m)
		code = make_object(b);
	errno = 0;
	if (!code && b->is_new)
		code = mosquitto_connect(b->m, c->host, (int)c->port, (int)c->keepalive_s);
	else if (!code)
		code = mosquitto_reconnect(b->m);
	b->is_new = b->is_new && code == MOSQ_ERR_INVAL;
	if (code && !b->why[0])
		snprintf(b->why, sizeof b->why, "%s", text_of(code));
	return code;
}

/* ---- connected ---- */

static void publish(kws_broker *b, const kws_broker_note *note)
{
	int mid = 0;
	const int code = mosquitto_publish(b->m, &mid, note->topic, (int)note->n, note->payload,
					   note->qos, note->retain);

	/* a message of QoS 1 or 2 is the library's even when the connection is lost now */
	if (note->qos > 0
	    && (code == MOSQ_ERR_SUCCESS || code == MOSQ_ERR_NO_CONN || code == MOSQ_ERR_CONN_LOST
		|| code == MOSQ_ERR_ERRNO)) {
		b->flight[b->n_flight++] = (kws_broker_flight){ mid, note->token };
		return;
	}
	if (code)
		kws_log(KWS_LOG_ERROR, "mqtt: %s: %s", note->topic, text_of(code));
	tell_sent(b, note->token);
}

static void take_notes(kws_broker *b)
{
	kws_broker_note *note;

	while (b->up && b->n_flight < KWS_BROKER_QUEUE
	       && (note = kws_broker_take(b, &b->to_thread))) {
		if (note->kind == KWS_BROKER_PUBLISH)
			publish(b, note);
		else
			mosquitto_subscribe(b->m, NULL, note->topic, note->qos);
		free(note);
	}
}

/* Wait for the broker or the owner, and let the library do its work. */
static int step(kws_broker *b)
{
	const bool listens = b->up && b->n_flight < KWS_BROKER_QUEUE;
	struct pollfd p[2] = { { .fd = mosquitto_socket(b->m), .events = POLLIN },
			       { .fd = listens ? b->to_thread.fd : -1, .events = POLLIN } };

	take_notes(b);
	if (mosquitto_want_write(b->m))
		p[0].events |= POLLOUT;
	poll(p, 2, LOOK_MS);
	errno = 0;
	return mosquitto_loop(b->m, 0, 1);
}

/* Publish the will, and say good-bye. */
static void leave(kws_broker *b, double deadline)
{
	int code = mosquitto_publish(b->m, NULL, b->conf.will_topic, (int)strlen(b->conf.will),
				     b->conf.will, 1, true);

	while (!code && b->n_flight && kws_clock_mono() < deadline)
		code = step(b);
	mosquitto_disconnect(b->m);
	while (!code && mosquitto_socket(b->m) >= 0 && kws_clock_mono() < deadline)
		code = step(b);
}

/* Leave the broker, and let a new object come to it. */
static void begin_anew(kws_broker *b)
{
	if (b->amnesia)
		tell(b, kws_broker_note_create(KWS_BROKER_FORGOTTEN, "", "", 0), false);
	b->n_flight = 0;
	b->amnesia = false;
	b->swept = b->anew = true;
	mosquitto_disconnect(b->m);
	mosquitto_destroy(b->m);
	b->m = NULL;
}

/* One connection, until it ends. Returns whether it was steady. */
static bool connection(kws_broker *b)
{
	const double since = kws_clock_mono();
	int code = begin(b);
	double deadline;

	while (!code) {
		code = step(b);
		if (!code && is_stopping(b, &deadline)) {
			if (b->up && b->swept)
				leave(b, deadline);
			return true;
		}
		if (b->amnesia || (b->up && !b->swept))
			break;
		if (!b->up && kws_clock_mono() > since + CONNACK_S) {
			snprintf(b->why, sizeof b->why, "the broker does not answer");
			break;
		}
	}
	if (b->amnesia || (b->up && !b->swept)) {
		begin_anew(b);
		return true;
	}
	if (!b->why[0])
		snprintf(b->why, sizeof b->why, "%s", text_of(code));
	tell(b, kws_broker_note_create(KWS_BROKER_LOST, b->why, "", 0), false);
	return b->up && kws_clock_mono() > since + STEADY_S;
}

/* Wait for s seconds. Returns false when it is time to end. */
static bool pause_for(kws_broker *b, double s)
{
	const double until = kws_clock_mono() + s;
	bool stopping;

	pthread_mutex_lock(&b->lock);
	while (!b->stopping && kws_clock_wait(&b->changed, &b->lock, until))
		continue;
	stopping = b->stopping;
	pthread_mutex_unlock(&b->lock);
	return !stopping;
}

void *kws_broker_run(void *arg)
{
	kws_broker *b = arg;
	unsigned attempt = 0;
	bool go_on = true, abandoned;

	while (go_on) {
		if (connection(b))
			attempt = 0;
		go_on = pause_for(b, b->anew ? 0.0
					     : kws_broker_delay(attempt++, b->conf.backoff_max_s,
								random_share()));
	}
	mosquitto_destroy(b->m);
	pthread_mutex_lock(&b->lock);
	b->finished = true;
	abandoned = b->abandoned;
	kws_clock_wake(&b->changed);
	pthread_mutex_unlock(&b->lock);
	if (abandoned)
		kws_broker_free(b);
	return NULL;
}
