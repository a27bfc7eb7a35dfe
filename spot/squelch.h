/* squelch.h - decides when a stream is worth hearing: from 1 s before a sound that is louder than
 * the noise of the room until 2.5 s after the last one. A network that hears only that costs
 * nothing in a quiet room.
 *
 * noise floor: the smallest 50 ms mean power in the last 3 s (spot/voice.h), so it follows the room.
 *
 * sound: a 50 ms mean that is over the floor by some dB. The power of the signal counts, and that of
 * its differences from sample to sample, each against its own floor: hum and rumble do not hide a
 * voice in the second, and hiss not in the first.
 *
 * It opens and closes at multiples of 40 ms of the stream, between two network frames.
 *
 * A stream begins open, for 3 s, because the floor is not known before. Everything depends on the
 * position in the stream only, not on how the audio is cut. */
#ifndef KWS_SPOT_SQUELCH_H
#define KWS_SPOT_SQUELCH_H

#include "kws.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct kws_squelch kws_squelch;

enum { KWS_SQUELCH_MOST_DB = 40 };
#define KWS_SQUELCH_BACK_S 1.0
#define KWS_SQUELCH_HOLD_S 2.5

/* in_hz: 8000 to 192000. over_db: 0..KWS_SQUELCH_MOST_DB. KWS_ERR_ARG, KWS_ERR_NOMEM. */
enum kws_status kws_squelch_create(kws_squelch **out, unsigned in_hz, double over_db);
void kws_squelch_destroy(kws_squelch *s);

/* A new stream begins at this sample, or goes on there after audio was lost. */
void kws_squelch_begin(kws_squelch *s, uint64_t at);

/* Take the samples from kws_squelch_at() on, pcm (n,), 10 ms or less. Returns whether it opened or
 * closed. */
bool kws_squelch_take(kws_squelch *s, const float *pcm, size_t n);

bool kws_squelch_is_open(const kws_squelch *s);
uint64_t kws_squelch_at(const kws_squelch *s);
/* Where hearing begins again, after it opened: never before it closed. */
uint64_t kws_squelch_from(const kws_squelch *s);
/* Samples that nothing hears or will hear, of all streams since it was created. */
uint64_t kws_squelch_skipped(const kws_squelch *s);

#endif
