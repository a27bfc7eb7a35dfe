#include "spot/squelch.h"

#include "spot/voice.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MEAN_HOPS = 5, SIDES = 2 }; /* 50 ms, as in the background; the signal, its differences */
/* Of network frames: strides are 1, 2 or 4 hops, so a model that begins anew has the frames that it
 * would have had. */
enum { GRID_HOPS = 4 };
static const double known_s = 3.0; /* the floor is known */

typedef struct {
	kws_voice *voice;
	float power[MEAN_HOPS]; /* of the last hops, hop t at t % MEAN_HOPS */
} side;

struct kws_squelch {
	unsigned in_hz;
	float ratio; /* of a sound to the floor, power */
	side sides[SIDES];
	uint64_t n_hops;
	float last; /* sample */
	bool open;
	uint64_t origin;    /* where the stream began */
	uint64_t at, until; /* open until there */
	uint64_t closed;    /* where it closed last */
	uint64_t from;	    /* where hearing began when it opened */
	uint64_t skipped;   /* before it closed last */
};

static uint64_t samples(const kws_squelch *s, double seconds)
{
	return (uint64_t)llround(seconds * s->in_hz);
}

/* Whole frames: 1 s, or a little less where a second is not whole hops. */
static uint64_t back_of(const kws_squelch *s)
{
	const uint64_t grid = (uint64_t)GRID_HOPS * (s->in_hz / 100);
	return samples(s, KWS_SQUELCH_BACK_S) / grid * grid;
}

enum kws_status kws_squelch_create(kws_squelch **out, unsigned in_hz, double over_db)
{
	*out = NULL;
	if (in_hz < 8000 || in_hz > 192000 || !(over_db >= 0.0 && over_db <= KWS_SQUELCH_MOST_DB))
		return KWS_ERR_ARG;
	kws_squelch *s = calloc(1, sizeof *s);
	if (!s)
		return KWS_ERR_NOMEM;
	const size_t hop = in_hz / 100;
	enum kws_status status = KWS_OK;
	for (size_t i = 0; i < SIDES && status == KWS_OK; i++)
		status = kws_voice_create(&s->sides[i].voice, in_hz, hop, MEAN_HOPS * hop);
	if (status != KWS_OK) {
		kws_squelch_destroy(s);
		return status;
	}
	s->in_hz = in_hz;
	s->ratio = (float)pow(10.0, over_db / 10.0);
	kws_squelch_begin(s, 0);
	*out = s;
	return KWS_OK;
}

void kws_squelch_destroy(kws_squelch *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < SIDES; i++)
		kws_voice_destroy(s->sides[i].voice);
	free(s);
}

void kws_squelch_begin(kws_squelch *s, uint64_t at)
{
	s->skipped = kws_squelch_skipped(s);
	for (size_t i = 0; i < SIDES; i++) {
		kws_voice_reset(s->sides[i].voice);
		memset(s->sides[i].power, 0, sizeof s->sides[i].power);
	}
	s->n_hops = 0;
	s->last = 0.0f;
	s->open = true;
	s->origin = s->at = s->closed = s->from = at;
	s->until = at + samples(s, known_s);
}

/* Mean squares of the samples and of their differences. What is not finite counts as silence. */
static void measure(kws_squelch *s, const float *pcm, size_t n, float power[SIDES])
{
	float last = s->last, sum[SIDES] = { 0.0f };
	for (size_t i = 0; i < n; i++) {
		sum[0] += pcm[i] * pcm[i];
		sum[1] += (pcm[i] - last) * (pcm[i] - last);
		last = pcm[i];
	}
	s->last = isfinite(last) ? last : 0.0f;
	for (size_t i = 0; i < SIDES; i++)
		power[i] = isfinite(sum[i]) && n ? sum[i] / (float)n : 0.0f;
}

/* Add the power of a hop. Returns whether there is a sound. */
static bool follow(const kws_squelch *s, side *d, float power)
{
	float sum = 0.0f;
	d->power[s->n_hops % MEAN_HOPS] = power;
	kws_voice_push(d->voice, &power, 1);
	for (size_t i = 0; i < MEAN_HOPS; i++)
		sum += d->power[i];
	return sum > s->ratio * (float)MEAN_HOPS * kws_voice_background(d->voice);
}

bool kws_squelch_take(kws_squelch *s, const float *pcm, size_t n)
{
	float power[SIDES];
	bool sound = false;
	const bool was = s->open;
	const uint64_t back = back_of(s);
	const uint64_t grid = (uint64_t)GRID_HOPS * (s->in_hz / 100);
	measure(s, pcm, n, power);
	for (size_t i = 0; i < SIDES; i++)
		sound |= follow(s, &s->sides[i], power[i]);
	s->n_hops++;
	if (sound) {
		const uint64_t until = s->at + n + samples(s, KWS_SQUELCH_HOLD_S);
		s->until = until > s->until ? until : s->until;
	}
	s->at += n;
	/* it closes between two network frames only, and opens there below */
	s->open = s->at < s->until || (was && (s->at - s->origin) % grid >= s->in_hz / 100);
	if (s->open && !was) {
		const uint64_t here = s->at - n - (s->at - n - s->origin) % grid;
		s->from = here > s->closed + back ? here - back : s->closed;
		s->skipped += s->from - s->closed;
	} else if (was && !s->open) {
		s->closed = s->at;
	}
	return was != s->open;
}

bool kws_squelch_is_open(const kws_squelch *s)
{
	return s->open;
}

uint64_t kws_squelch_at(const kws_squelch *s)
{
	return s->at;
}

uint64_t kws_squelch_from(const kws_squelch *s)
{
	return s->from;
}

uint64_t kws_squelch_skipped(const kws_squelch *s)
{
	const uint64_t back = s->open ? 0 : back_of(s);
	const uint64_t asleep = s->open ? 0 : s->at - s->closed;
	return s->skipped + (asleep > back ? asleep - back : 0);
}
