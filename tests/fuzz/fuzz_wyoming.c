/* fuzz_wyoming - any bytes from a Wyoming client: the answers are events that a client can read, and the
 * same however the bytes are cut; nothing but the bytes of one header and its data is kept. */
#include "conf/source.h"
#include "gateway/wyoming/reader.h"
#include "gateway/wyoming/session.h"
#include "tests/fuzz/fuzz.h"
#include "tests/tiny_model.h"

#include <string.h>
#include <unistd.h>

static const char *const types[] = { "info", "detection", "not-detected", "error", "pong" };

static void complain(void *ctx, const char *text)
{
	(void)ctx;
	fuzz_broken(__FILE__, __LINE__, text);
}

/* Two tiny models, one of them gated by the other, with thresholds that are often reached. */
static kws_roster *words(void)
{
	static kws_roster *r;
	static const tiny_config other = {
		.seed = 2, .chunk = 7, .stack = 2, .stride = 2, .pool = 10, .loudness = 8.0f
	};
	char set[4][64], path[2][32] = { "/tmp/fuzz_wyoming.XXXXXX", "/tmp/fuzz_wyoming.XXXXXX" };
	kws_conf_source src = { .set = { set[0], set[1], set[2], set[3] }, .n_set = 4 };
	static kws_conf c;
	kws_error e = { "" };

	if (r)
		return r;
	for (int i = 0; i < 2; i++) {
		size_t n;
		void *model = tiny_model_bytes(i ? &other : &tiny_default, &n);
		const int fd = mkstemp(path[i]);

		demand(fd >= 0 && write(fd, model, n) == (ssize_t)n);
		close(fd);
		free(model);
		snprintf(set[i], sizeof set[i], "model m%d.path=%s", i, path[i]);
	}
	snprintf(set[2], sizeof set[2], "model m1.after=m0");
	snprintf(set[3], sizeof set[3], "decision.threshold=0.3");
	demand(kws_conf_gather(&c, &src, "fuzz", complain, NULL) == 0);
	if (kws_roster_load(&r, &c, NULL, &e) != KWS_OK)
		complain(NULL, e.text);
	unlink(path[0]);
	unlink(path[1]);
	return r;
}

/* Let it use what it was given. False: it is over. */
static bool run(kws_session *s)
{
	for (;;)
		switch (kws_session_step(s)) {
		case KWS_SESSION_WAIT: return true;
		case KWS_SESSION_TURN: break;
		case KWS_SESSION_OVER: return false;
		case KWS_SESSION_HEAR: kws_session_hear(&s, 1); break;
		}
}

/* A session that is given all of data, `piece' bytes at a time. */
static kws_session *play(const uint8_t *data, size_t size, size_t piece)
{
	kws_session *s = kws_session_create(words());
	bool on = true;
	size_t room;

	demand(s);
	for (size_t at = 0, k; at < size && on; at += k) {
		char *in = kws_session_room(s, &room);

		demand(room > 0);
		k = size - at < piece ? size - at : piece;
		k = k < room ? k : room;
		memcpy(in, data + at, k);
		kws_session_give(s, k);
		on = run(s);
	}
	if (on) {
		kws_session_close(s);
		demand(!run(s));
		demand(!*kws_session_fault(s));
	}
	return s;
}

static void check_answers(kws_out *o)
{
	kws_reader r = { .text = NULL };
	const char *part, *bytes;
	size_t used, n_part;

	demand(!o->lost);
	if (!o->n)
		return;
	bytes = o->bytes + o->first;
	for (size_t at = 0; at < o->n; at += used) {
		bool known = false;

		demand(kws_reader_next(&r, bytes + at, o->n - at, &used, &part, &n_part, NULL)
		       == KWS_READ_EVENT);
		for (size_t i = 0; i < sizeof types / sizeof *types; i++)
			known |= !strcmp(r.type, types[i]);
		demand(known);
		if (!strcmp(r.type, "error"))
			demand(json_is_string(json_object_get(r.data, "text")));
	}
	kws_reader_free(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	kws_session *whole, *cut;
	kws_out *a, *b;

	if (!size)
		return 0;
	whole = play(data + 1, size - 1, size);
	cut = play(data + 1, size - 1, 1 + data[0] % 64);
	a = kws_session_out(whole);
	b = kws_session_out(cut);
	check_answers(a);
	demand(a->n == b->n && (!a->n || !memcmp(a->bytes + a->first, b->bytes + b->first, a->n)));
	fuzz_accepted = !*kws_session_fault(whole);
	kws_session_destroy(whole);
	kws_session_destroy(cut);
	return 0;
}
