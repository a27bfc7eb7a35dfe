#include "gateway/wyoming/wake_parts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* The ear of w of this part's name; NULL: there is none. */
static ear *ear_named(const kws_wake *w, const char *name)
{
	const int part = kws_roster_part_named(w->roster, name);

	return part < 0 ? NULL : w->ears[part];
}

/* The ear of w that hears this part, of another roster; NULL: there is none. */
static ear *ear_for(const kws_wake *w, const kws_roster_part *p)
{
	const int part = kws_roster_part_named(w->roster, p->name);

	return part < 0 || w->roster->part[part].shared != p->shared ? NULL : w->ears[part];
}

/* What an ear takes over from that of the same name, which may be NULL. */
static void inherit(kws_wake *w, ear *e, const ear *old)
{
	if (old) {
		e->open = old->open;
		e->end = old->end;
		e->handover = old->handover;
	}
	kws_handover_begin(&e->handover, (double)w->heard / w->pcm.format.rate_hz);
}

/* Put the ears of r in place of those of the roster so far. */
static void take_ears(kws_wake *w, kws_roster *r, ear *const *fresh)
{
	ear *now[KWS_CONF_MODELS] = { NULL };

	for (size_t i = 0; i < r->n_parts; i++) {
		ear *e = fresh[i] ? fresh[i] : ear_for(w, &r->part[i]);

		assert(e); /* what was not there has been opened */
		const kws_spotter_config config = kws_wake_ear_config(&r->part[i], e);
		kws_spotter_configure(e->spotter, &config, NULL);
		e->part = i;
		if (fresh[i])
			inherit(w, e, ear_named(w, r->part[i].name));
		now[i] = e;
	}
	for (size_t i = 0; i < w->roster->n_parts; i++) {
		bool kept = false;

		for (size_t k = 0; k < r->n_parts; k++)
			kept |= now[k] == w->ears[i];
		if (!kept)
			kws_wake_ear_close(w->ears[i]);
	}
	memcpy(w->ears, now, sizeof now);
}

/* What was reported last, in terms of r. */
static void take_last(const kws_wake *w, const kws_roster *r, reported *last)
{
	for (size_t i = 0; i < w->roster->n_words; i++) {
		const unsigned word = kws_roster_find(r, w->roster->word[i]);
		int part;

		if (!w->last[i].has || word == KWS_ROSTER_NO_WORD)
			continue;
		last[word] = w->last[i];
		last[word].part = SIZE_MAX;
		if (w->last[i].part == SIZE_MAX)
			continue;
		part = kws_roster_part_named(r, w->roster->part[w->last[i].part].name);
		if (part >= 0)
			last[word].part = (size_t)part;
	}
}

/* Let a new ear hear the last seconds. What it finds there is settled later. */
static void warm(kws_wake *w, ear *e)
{
	const uint64_t from = w->heard > w->n_past ? w->heard - w->n_past : 0;
	const size_t n = (size_t)(w->heard - from), at = (size_t)(from % w->n_past);
	const size_t straight = n < w->n_past - at ? n : w->n_past - at;

	e->from = 1e3 * (double)from / w->pcm.format.rate_hz;
	kws_spotter_process(e->spotter, w->past + at, straight);
	kws_spotter_process(e->spotter, w->past, n - straight);
}

enum kws_status kws_wake_change(kws_wake *w, kws_roster *r, kws_error *err)
{
	ear *fresh[KWS_CONF_MODELS] = { NULL };
	reported *last = calloc(r->n_words + 1, sizeof *last);
	enum kws_status status = KWS_OK;

	if (!last)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < r->n_parts && status == KWS_OK; i++)
		if (!ear_for(w, &r->part[i]))
			status = kws_wake_ear_open(&fresh[i], w, &r->part[i], err);
	if (status != KWS_OK) {
		for (size_t i = 0; i < r->n_parts; i++)
			kws_wake_ear_close(fresh[i]);
		free(last);
		return status;
	}
	take_ears(w, r, fresh);
	take_last(w, r, last);
	kws_roster_release(w->roster);
	w->roster = kws_roster_share(r);
	free(w->last);
	w->last = last;
	for (size_t i = 0; i < r->n_parts; i++)
		if (fresh[i])
			warm(w, fresh[i]);
	kws_wake_settle(w);
	return KWS_OK;
}
