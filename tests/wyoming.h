/* wyoming.h - a Wyoming client for tests, without a socket: what it sends, and what it was answered. */
#ifndef KWS_TESTS_WYOMING_H
#define KWS_TESTS_WYOMING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "audio/source.h"
#include "conf/source.h"
#include "gateway/wyoming/reader.h"
#include "gateway/wyoming/session.h"

#include <stdlib.h>
#include <string.h>

enum { WY_RATE = 16000, WY_LONGEST = 40 * WY_RATE };

static inline void wy_complain(void *ctx, const char *text)
{
	(void)ctx;
	fail_msg("%s", text);
}

/* The configuration of these settings (n,), "threshold.yes=0.7". */
static inline kws_conf *wy_conf(const char *const *set, size_t n)
{
	kws_conf *c = calloc(1, sizeof *c);
	kws_conf_source src = { .n_set = n };

	/* wherever the test was built */
	assert_int_equal(setenv("KWS_MODEL", "config/models/commands-12.safetensors", 1), 0);
	assert_true(n <= KWS_CONF_OVERRIDES);
	for (size_t i = 0; i < n; i++)
		src.set[i] = set[i];
	assert_int_equal(kws_conf_gather(c, &src, "test", wy_complain, NULL), 0);
	return c;
}

static inline kws_roster *wy_roster(const char *const *set, size_t n, const kws_roster *now)
{
	kws_roster *r;
	kws_error err = { "" };
	kws_conf *c = wy_conf(set, n);

	if (kws_roster_load(&r, c, now, &err) != KWS_OK)
		fail_msg("%s", err.text);
	free(c);
	return r;
}

/* The demo of commands, mono, 16 kHz, as 16-bit samples. Returns how many. */
static inline size_t wy_demo(int16_t *out, size_t room)
{
	static float pcm[WY_LONGEST];
	kws_source *src = NULL;
	size_t n = 0, got = 1;

	assert_int_equal(kws_source_open_file(&src, "tests/data/demo.flac", 0, NULL), KWS_OK);
	while (n < WY_LONGEST && got) {
		assert_int_equal(kws_source_read(src, pcm + n, WY_LONGEST - n, &got, NULL), KWS_OK);
		n += got;
	}
	kws_source_close(src);
	assert_true(n <= room);
	for (size_t i = 0; i < n; i++)
		out[i] = (int16_t)(32768.0f * pcm[i]);
	return n;
}

/* ---- what a client sends ---- */

typedef struct {
	char *bytes;
	size_t n, room;
} wy_text;

static inline void wy_put(wy_text *t, const void *bytes, size_t n)
{
	while (t->n + n > t->room) {
		t->room = t->room ? 2 * t->room : 65536;
		t->bytes = realloc(t->bytes, t->room);
		assert_non_null(t->bytes);
	}
	if (n)
		memcpy(t->bytes + t->n, bytes, n);
	t->n += n;
}

/* An event as the protocol's library sends it; data: JSON text, or NULL. */
static inline void wy_event(wy_text *t, const char *type, const char *data, const void *payload,
			    size_t n_payload)
{
	char header[256];
	int k = snprintf(header, sizeof header, "{\"type\": \"%s\", \"version\": \"1.10.2\"", type);

	if (data)
		k += snprintf(header + k, sizeof header - (size_t)k, ", \"data_length\": %zu",
			      strlen(data));
	if (n_payload)
		k += snprintf(header + k, sizeof header - (size_t)k, ", \"payload_length\": %zu",
			      n_payload);
	k += snprintf(header + k, sizeof header - (size_t)k, "}\n");
	wy_put(t, header, (size_t)k);
	wy_put(t, data ? data : "", data ? strlen(data) : 0);
	wy_put(t, payload, n_payload);
}

typedef struct {
	unsigned rate, width, channels;
	size_t chunk;  /* bytes */
	long first_ms; /* of the timestamps; below 0: none */
} wy_format;

/* Bytes (n,) of audio, in chunks. */
static inline void wy_audio(wy_text *t, const wy_format *f, const void *bytes, size_t n)
{
	const char *from = bytes;
	char data[160], stamp[32] = "null";

	for (size_t at = 0; at < n; at += f->chunk) {
		const double s = (double)at / f->width / f->channels / f->rate;

		if (f->first_ms >= 0)
			snprintf(stamp, sizeof stamp, "%ld", f->first_ms + (long)(1e3 * s));
		snprintf(data, sizeof data,
			 "{\"rate\": %u, \"width\": %u, \"channels\": %u, \"timestamp\": %s}",
			 f->rate, f->width, f->channels, stamp);
		wy_event(t, "audio-chunk", data, from + at, n - at < f->chunk ? n - at : f->chunk);
	}
}

static inline void wy_start(wy_text *t, const wy_format *f)
{
	char data[160];

	snprintf(data, sizeof data,
		 "{\"rate\": %u, \"width\": %u, \"channels\": %u, \"timestamp\": null}", f->rate,
		 f->width, f->channels);
	wy_event(t, "audio-start", data, NULL, 0);
}

/* ---- what it is answered ---- */

/* Let the session use what it was given. False: it is over. */
static inline bool wy_run(kws_session *s)
{
	for (;;) {
		switch (kws_session_step(s)) {
		case KWS_SESSION_WAIT: return true;
		case KWS_SESSION_TURN: break;
		case KWS_SESSION_OVER: return false;
		case KWS_SESSION_HEAR: kws_session_hear(&s, 1); break;
		}
	}
}

/* Give the session bytes (n,) in pieces of at most `piece'. False: it is over. */
static inline bool wy_give(kws_session *s, const char *bytes, size_t n, size_t piece)
{
	for (size_t at = 0, k; at < n; at += k) {
		size_t room;
		char *in = kws_session_room(s, &room);

		assert_true(room > 0);
		k = n - at < piece ? n - at : piece;
		k = k < room ? k : room;
		memcpy(in, bytes + at, k);
		kws_session_give(s, k);
		assert_int_equal((kws_session_room(s, &room), room), 0);
		if (!wy_run(s))
			return false;
	}
	return true;
}

/* All that waits to be sent, as an array of {"type": ..., "data": ...}; it is sent then. */
static inline json_t *wy_answers(kws_session *s)
{
	kws_out *o = kws_session_out(s);
	kws_reader reader = { .text = NULL };
	json_t *all = json_array();
	size_t at = 0, used = 0, n_part;
	const char *part;
	kws_error err = { "" };

	for (enum kws_read r; at < o->n; at += used) {
		r = kws_reader_next(&reader, o->bytes + o->first + at, o->n - at, &used, &part,
				    &n_part, &err);
		if (r != KWS_READ_EVENT)
			fail_msg("not an event: %s", err.text);
		json_array_append_new(
			all, json_pack("{s:s, s:O}", "type", reader.type, "data", reader.data));
	}
	kws_reader_free(&reader);
	kws_out_sent(o, o->n);
	return all;
}

/* One line for each answer: "detection yes 1070", "not-detected", "error code". */
static inline void wy_lines(kws_session *s, char *out, size_t size)
{
	json_t *all = wy_answers(s), *one;
	size_t i, n = 0;

	*out = 0;
	json_array_foreach(all, i, one)
	{
		const char *type = json_string_value(json_object_get(one, "type"));
		const json_t *data = json_object_get(one, "data");
		const json_t *ms = json_object_get(data, "timestamp");

		n += (size_t)snprintf(out + n, size - n, "%s", type);
		for (int k = 0; k < 2; k++) {
			const json_t *text = json_object_get(data, k ? "code" : "name");

			if (json_is_string(text))
				n += (size_t)snprintf(out + n, size - n, " %s",
						      json_string_value(text));
		}
		if (json_is_integer(ms))
			n += (size_t)snprintf(out + n, size - n, " %" JSON_INTEGER_FORMAT,
					      json_integer_value(ms));
		n += (size_t)snprintf(out + n, size - n, "\n");
		assert_true(n < size);
	}
	json_decref(all);
}

#endif
