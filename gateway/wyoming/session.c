#include "gateway/wyoming/session.h"

#include "gateway/wyoming/reader.h"

#include <stdlib.h>
#include <string.h>

/* IN: bytes of the client at a time. EVENTS: in one turn. OUT: with so many bytes of answers, a turn
 * is over. */
enum { IN = 16 * 1024, EVENTS = 8, OUT = 64 * 1024, LONGEST_SAID = 100 };

struct kws_session {
	kws_roster *roster;
	kws_roster *next; /* to be used from now on; NULL: none other */
	kws_wake *wake;	  /* NULL: there was no audio yet */
	kws_reader reader;
	kws_out out;
	json_t *names;	 /* wanted words; NULL: all */
	json_t *context; /* of the last detect; NULL: none */
	bool *wanted;	 /* (roster->n_words,) */
	char in[IN];
	size_t first, n;  /* in[first .. n) is not used yet */
	const char *part; /* (n_part,) of a payload, in in */
	size_t n_part;
	bool has_event; /* reader.type and reader.data are to be handled */
	bool is_bad;	/* what was read is no event: fault says why */
	bool is_chunk;	/* the payload is audio */
	bool streams, detected, closed, over;
	kws_error fault;
};

/* ---- words ---- */

/* Mark the wanted words. Returns how many there are. */
static size_t want(kws_session *s)
{
	size_t n = 0, i;
	json_t *name;

	for (i = 0; i < s->roster->n_words; i++)
		s->wanted[i] = !s->names;
	if (!s->names)
		return s->roster->n_words;
	json_array_foreach(s->names, i, name)
	{
		const char *text = json_string_value(name);
		const unsigned w = text ? kws_roster_find(s->roster, text) : KWS_ROSTER_NO_WORD;

		if (w != KWS_ROSTER_NO_WORD && !s->wanted[w])
			n++;
		if (w != KWS_ROSTER_NO_WORD)
			s->wanted[w] = true;
	}
	return n;
}

static void refuse_words(kws_session *s)
{
	const char *first = json_string_value(json_array_get(s->names, 0));
	kws_error e;

	/* whole or not at all: half of a character is no UTF-8 */
	kws_fail(&e, KWS_ERR_ARG, "no such word: %s",
		 first && strlen(first) <= LONGEST_SAID ? first : "...");
	kws_reply_error(&s->out, e.text, "unknown-wake-word");
}

/* ---- create ---- */

kws_session *kws_session_create(kws_roster *r)
{
	kws_session *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->wanted = calloc(r->n_words + 1, sizeof *s->wanted);
	if (!s->wanted) {
		free(s);
		return NULL;
	}
	s->roster = kws_roster_share(r);
	want(s);
	return s;
}

void kws_session_destroy(kws_session *s)
{
	if (!s)
		return;
	kws_wake_destroy(s->wake);
	kws_reader_free(&s->reader);
	kws_out_free(&s->out);
	json_decref(s->names);
	json_decref(s->context);
	kws_roster_release(s->roster);
	kws_roster_release(s->next);
	free(s->wanted);
	free(s);
}

/* The session ends, and the client is told why. */
static void fail(kws_session *s, const kws_error *why, const char *code)
{
	s->fault = *why;
	s->over = true;
	s->has_event = false;
	s->n_part = 0;
	kws_reply_error(&s->out, why->text, code);
}

static void fail_memory(kws_session *s)
{
	kws_error e;

	kws_fail(&e, KWS_ERR_NOMEM, "out of memory");
	fail(s, &e, "out-of-memory");
}

/* Use the next roster. */
static void change(kws_session *s)
{
	kws_roster *was = s->roster;
	bool *wanted = calloc(s->next->n_words + 1, sizeof *wanted);
	kws_error e = { "" };

	if (!wanted) {
		fail_memory(s);
		return;
	}
	free(s->wanted);
	s->wanted = wanted;
	s->roster = s->next;
	s->next = NULL;
	if (!want(s) && s->names)
		refuse_words(s);
	/* it may tell a word */
	if (s->wake && kws_wake_change(s->wake, s->roster, &e) != KWS_OK)
		fail_memory(s);
	kws_roster_release(was);
}

void kws_session_change(kws_session *s, kws_roster *r)
{
	kws_roster_share(r);
	kws_roster_release(s->next);
	s->next = r;
	if (!s->wake)
		change(s);
}

const kws_roster *kws_session_roster(const kws_session *s)
{
	return s->next ? s->next : s->roster;
}

/* ---- audio ---- */

static void on_word(void *ctx, unsigned word, int64_t ms)
{
	kws_session *s = ctx;

	if (!s->wanted[word])
		return;
	s->detected = true;
	kws_reply_detection(&s->out, s->roster->word[word], ms, s->context);
}

/* A number of the format; one that is missing is that of the audio so far. 0: none of use, which
 * kws_pcm_check() will refuse. */
static unsigned number(const kws_session *s, const char *key, unsigned so_far)
{
	const json_t *v = json_object_get(s->reader.data, key);

	if (!v && s->streams)
		return so_far;
	return json_is_integer(v) && json_integer_value(v) > 0 && json_integer_value(v) <= INT_MAX
		       ? (unsigned)json_integer_value(v)
		       : 0;
}

static kws_pcm_format format_of(const kws_session *s)
{
	const kws_pcm_format none = { 0 };
	const kws_pcm_format *so_far = s->wake ? kws_wake_format(s->wake) : &none;

	return (kws_pcm_format){ number(s, "rate", so_far->rate_hz),
				 number(s, "width", so_far->width),
				 number(s, "channels", so_far->channels) };
}

static bool is_same(const kws_pcm_format *a, const kws_pcm_format *b)
{
	return a->rate_hz == b->rate_hz && a->width == b->width && a->channels == b->channels;
}

/* Audio of this format begins. */
static void begin(kws_session *s, const kws_pcm_format *f)
{
	kws_error e;
	enum kws_status status = kws_pcm_check(f, &e);

	if (status == KWS_OK && s->wake && is_same(f, kws_wake_format(s->wake))) {
		kws_wake_restart(s->wake);
	} else if (status == KWS_OK) {
		kws_wake_destroy(s->wake);
		status = kws_wake_create(&s->wake, s->roster, f, on_word, s, &e);
	}
	if (status == KWS_OK)
		s->streams = true;
	else
		fail(s, &e, status == KWS_ERR_NOMEM ? "out-of-memory" : "bad-audio-format");
}

static void end(kws_session *s)
{
	if (s->streams)
		kws_wake_end(s->wake);
	s->streams = false;
	if (!s->detected)
		kws_reply_not_detected(&s->out, s->context);
	s->detected = false;
}

/* ---- events ---- */

static void on_describe(kws_session *s)
{
	kws_out_put(&s->out, s->roster->info, s->roster->n_info);
}

static void on_detect(kws_session *s)
{
	json_t *names = json_object_get(s->reader.data, "names");
	json_t *context = json_object_get(s->reader.data, "context");

	json_decref(s->names);
	json_decref(s->context);
	s->names = json_array_size(names) ? json_incref(names) : NULL;
	s->context = context && !json_is_null(context) ? json_incref(context) : NULL;
	if (!want(s) && s->names)
		refuse_words(s);
}

static void on_start(kws_session *s)
{
	const kws_pcm_format f = format_of(s);

	s->detected = false;
	begin(s, &f);
}

/* A timestamp that is no whole number that a double can count is none. */
static bool timestamp_of(const json_t *v, int64_t *out)
{
	const double ms = json_number_value(v);

	*out = ms >= 0.0 && ms <= 0x1p53 ? (int64_t)ms : 0;
	return json_is_number(v) && ms >= 0.0 && ms <= 0x1p53;
}

static void on_chunk(kws_session *s)
{
	int64_t timestamp;
	const bool has = timestamp_of(json_object_get(s->reader.data, "timestamp"), &timestamp);
	const kws_pcm_format f = format_of(s);

	if (!s->streams || !is_same(&f, kws_wake_format(s->wake)))
		begin(s, &f);
	s->is_chunk = s->streams && !s->over;
	if (s->is_chunk)
		kws_wake_chunk(s->wake, has, timestamp);
}

static void on_ping(kws_session *s)
{
	kws_reply_pong(&s->out, json_object_get(s->reader.data, "text"));
}

/* All other events are ignored. */
static const struct {
	const char *type;
	void (*handle)(kws_session *s);
} kinds[] = { { "describe", on_describe }, { "detect", on_detect }, { "audio-start", on_start },
	      { "audio-chunk", on_chunk }, { "audio-stop", end },   { "ping", on_ping } };

static void handle(kws_session *s)
{
	s->has_event = s->is_chunk = false;
	if (s->is_bad) {
		const kws_error why = s->fault;

		fail(s, &why, "bad-message");
		return;
	}
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (!strcmp(s->reader.type, kinds[i].type))
			kinds[i].handle(s);
}

/* ---- bytes ---- */

char *kws_session_room(kws_session *s, size_t *room)
{
	*room = s->first == s->n && !s->n_part && !s->has_event && !s->closed ? IN : 0;
	return s->in;
}

void kws_session_give(kws_session *s, size_t n)
{
	s->first = 0;
	s->n = n;
}

void kws_session_close(kws_session *s)
{
	s->closed = true;
}

/* Read on. False: there is nothing to read. */
static bool read_on(kws_session *s)
{
	kws_error e = { "" };
	size_t used;
	enum kws_read r = kws_reader_next(&s->reader, s->in + s->first, s->n - s->first, &used,
					  &s->part, &s->n_part, &e);

	s->first += used;
	s->is_bad = r == KWS_READ_BAD;
	if (s->is_bad)
		s->fault = e;
	s->has_event = r == KWS_READ_EVENT || s->is_bad;
	if (!s->is_chunk)
		s->n_part = 0;
	return r != KWS_READ_MORE;
}

/* Whether the event begins or ends a stream. */
static bool takes_ears(const kws_session *s)
{
	const char *type = s->reader.type;
	kws_pcm_format f;

	if (s->is_bad || strncmp(type, "audio-", 6) != 0)
		return false;
	if (!strcmp(type, "audio-start"))
		return true;
	if (strcmp(type, "audio-chunk") != 0)
		return s->streams;
	f = format_of(s);
	return !s->streams || !is_same(&f, kws_wake_format(s->wake));
}

static void take_part(kws_session *s)
{
	const size_t used = kws_wake_take(s->wake, s->part, s->n_part);

	s->part += used;
	s->n_part -= used;
}

/* All bytes are used. */
static enum kws_session_next at_end(kws_session *s)
{
	if (!s->closed)
		return KWS_SESSION_WAIT;
	if (s->streams)
		return KWS_SESSION_HEAR;
	s->over = true;
	return KWS_SESSION_OVER;
}

static bool waits_for_ears(const kws_session *s)
{
	return s->wake && kws_wake_waits(s->wake);
}

enum kws_session_next kws_session_step(kws_session *s)
{
	for (int n = 0; n < EVENTS && s->out.n < OUT && !s->over;) {
		if (s->next || (s->wake && kws_wake_is_full(s->wake)))
			return KWS_SESSION_HEAR;
		if (s->n_part) {
			take_part(s);
			continue;
		}
		if (s->has_event) {
			if (waits_for_ears(s) || takes_ears(s))
				return KWS_SESSION_HEAR;
			handle(s);
			n++;
			continue;
		}
		if (read_on(s))
			continue;
		return waits_for_ears(s) ? KWS_SESSION_HEAR : at_end(s);
	}
	if (s->out.lost)
		s->over = true;
	return s->over ? KWS_SESSION_OVER : KWS_SESSION_TURN;
}

/* What takes ears, but for a block of audio. */
static void begin_or_end(kws_session *s)
{
	if (s->has_event && takes_ears(s))
		handle(s);
	else if (!s->has_event && s->closed && s->streams)
		end(s);
}

void kws_session_hear(kws_session *const *s, size_t n)
{
	kws_wake *w[KWS_WAKE_TOGETHER];
	size_t n_wakes = 0;

	for (size_t i = 0; i < n; i++) {
		if (s[i]->next)
			change(s[i]);
		if (s[i]->over)
			continue;
		if (waits_for_ears(s[i]))
			w[n_wakes++] = s[i]->wake;
		else
			begin_or_end(s[i]);
	}
	kws_wake_hear(w, n_wakes);
}

bool kws_session_has_ears(const kws_session *s)
{
	return s->wake != NULL;
}

bool kws_session_streams(const kws_session *s)
{
	return s->streams;
}

kws_out *kws_session_out(kws_session *s)
{
	return &s->out;
}

const char *kws_session_fault(const kws_session *s)
{
	return s->fault.text;
}
