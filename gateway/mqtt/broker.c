#include "gateway/mqtt/broker_parts.h"

#include "runtime/clock.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* ---- notes ---- */

kws_broker_note *kws_broker_note_create(enum kws_broker_kind kind, const char *topic,
					const void *payload, size_t n)
{
	const size_t len = strlen(topic) + 1;
	kws_broker_note *note = malloc(sizeof *note + len + n + 1);

	if (!note)
		return NULL;
	*note = (kws_broker_note){ .kind = kind, .n = n, .payload = note->topic + len };
	memcpy(note->topic, topic, len);
	if (n)
		memcpy(note->payload, payload, n);
	note->payload[n] = 0;
	return note;
}

void kws_broker_hand(kws_broker_notes *to, kws_broker_note *note)
{
	const uint64_t one = 1;

	note->next = NULL;
	*to->last = note;
	to->last = &note->next;
	to->n++;
	if (write(to->fd, &one, sizeof one) < 0) {
		/* the counter is full, and the descriptor ready */
	}
}

kws_broker_note *kws_broker_take(kws_broker *b, kws_broker_notes *from)
{
	kws_broker_note *note;
	uint64_t count;

	pthread_mutex_lock(&b->lock);
	note = from->first;
	if (note) {
		from->first = note->next;
		from->n--;
	}
	if (!from->first) {
		from->last = &from->first;
		if (read(from->fd, &count, sizeof count) < 0) {
			/* it was not ready */
		}
	}
	pthread_mutex_unlock(&b->lock);
	return note;
}

static bool open_notes(kws_broker_notes *notes)
{
	notes->last = &notes->first;
	notes->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return notes->fd >= 0;
}

static void close_notes(kws_broker_notes *notes)
{
	while (notes->first) {
		kws_broker_note *note = notes->first;

		notes->first = note->next;
		free(note);
	}
	if (notes->fd >= 0)
		close(notes->fd);
}

/* ---- the owner's side ---- */

void kws_broker_free(kws_broker *b)
{
	close_notes(&b->to_thread);
	close_notes(&b->to_owner);
	pthread_mutex_destroy(&b->lock);
	pthread_cond_destroy(&b->changed);
	memset(b->conf.password, 0, sizeof b->conf.password);
	free(b);
}

enum kws_status kws_broker_create(kws_broker **out, const kws_broker_config *c,
				  const kws_broker_ops *ops, void *ctx, kws_error *err)
{
	kws_broker *b = calloc(1, sizeof *b);
	int failed;

	*out = NULL;
	if (!b)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	b->conf = *c;
	b->ops = ops;
	b->ctx = ctx;
	b->to_thread.fd = b->to_owner.fd = -1;
	pthread_mutex_init(&b->lock, NULL);
	kws_clock_cond_init(&b->changed);
	if (!open_notes(&b->to_thread) || !open_notes(&b->to_owner)) {
		kws_broker_free(b);
		return kws_fail(err, KWS_ERR_NOMEM, "eventfd: no more descriptors");
	}
	mosquitto_lib_init();
	failed = kws_clock_start(&b->thread, NULL, kws_broker_run, b);
	if (failed) {
		kws_broker_free(b);
		return kws_fail(err, KWS_ERR_NOMEM, KWS_NO_THREAD, strerror(failed));
	}
	*out = b;
	return KWS_OK;
}

int kws_broker_fd(const kws_broker *b)
{
	return b->to_owner.fd;
}

static void tell_owner(kws_broker *b, const kws_broker_note *note)
{
	switch (note->kind) {
	case KWS_BROKER_CONNECTED:
		b->connected = true;
		b->ops->connected(b->ctx);
		break;
	case KWS_BROKER_LOST:
		b->connected = false;
		b->ops->lost(b->ctx, note->topic);
		break;
	case KWS_BROKER_FORGOTTEN: b->ops->forgotten(b->ctx); break;
	case KWS_BROKER_SENT: b->ops->sent(b->ctx, note->token); break;
	case KWS_BROKER_RECEIVED:
		b->ops->message(b->ctx, note->topic, note->payload, note->n, note->retain);
		break;
	case KWS_BROKER_PUBLISH:
	case KWS_BROKER_SUBSCRIBE: break;
	}
}

void kws_broker_serve(kws_broker *b)
{
	kws_broker_note *note;

	/* a bounded number at a time */
	for (int i = 0; i < KWS_BROKER_QUEUE && (note = kws_broker_take(b, &b->to_owner)); i++) {
		tell_owner(b, note);
		free(note);
	}
}

static bool hand_to_thread(kws_broker *b, kws_broker_note *note)
{
	bool room;

	if (!note)
		return false;
	pthread_mutex_lock(&b->lock);
	room = b->to_thread.n < KWS_BROKER_QUEUE;
	if (room)
		kws_broker_hand(&b->to_thread, note);
	pthread_mutex_unlock(&b->lock);
	if (!room)
		free(note);
	return room;
}

bool kws_broker_publish(kws_broker *b, const char *topic, const void *payload, size_t n, int qos,
			bool retain, uint64_t token)
{
	kws_broker_note *note;

	if (!b->connected)
		return false;
	note = kws_broker_note_create(KWS_BROKER_PUBLISH, topic, payload, n);
	if (note) {
		note->qos = qos;
		note->retain = retain;
		note->token = token;
	}
	return hand_to_thread(b, note);
}

bool kws_broker_subscribe(kws_broker *b, const char *topic, int qos)
{
	kws_broker_note *note = kws_broker_note_create(KWS_BROKER_SUBSCRIBE, topic, "", 0);

	if (note)
		note->qos = qos;
	return hand_to_thread(b, note);
}

unsigned long kws_broker_dropped(kws_broker *b)
{
	unsigned long n;

	pthread_mutex_lock(&b->lock);
	n = b->dropped;
	pthread_mutex_unlock(&b->lock);
	return n;
}

void kws_broker_stop(kws_broker *b, int timeout_ms)
{
	const uint64_t one = 1;
	pthread_t thread;
	bool finished;

	if (!b)
		return;
	pthread_mutex_lock(&b->lock);
	b->stopping = true;
	b->deadline = kws_clock_mono() + 1e-3 * timeout_ms;
	const double until = b->deadline + 0.1;
	if (write(b->to_thread.fd, &one, sizeof one) < 0) {
		/* it is ready already */
	}
	kws_clock_wake(&b->changed);
	while (!b->finished && kws_clock_wait(&b->changed, &b->lock, until))
		continue;
	finished = b->finished;
	b->abandoned = !finished;
	thread = b->thread;
	pthread_mutex_unlock(&b->lock);
	if (!finished) {
		pthread_detach(thread); /* from here on, the thread owns b */
		return;
	}
	pthread_join(thread, NULL);
	b->connected = false; /* nothing more can be published */
	while (b->to_owner.first)
		kws_broker_serve(b);
	kws_broker_free(b);
}
