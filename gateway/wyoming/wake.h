/* wake.h - the audio of one client, and the words that are heard in it.
 *
 * Audio is collected in blocks of at most 40 ms. What is heard does not depend on how the audio is
 * cut into blocks, nor on who else is heard at the same time. */
#ifndef KWS_WYOMING_WAKE_H
#define KWS_WYOMING_WAKE_H

#include "gateway/wyoming/pcm.h"
#include "gateway/wyoming/roster.h"

typedef struct kws_wake kws_wake;

/* A word of the roster was heard; ms: when it began, by the clock of the client's timestamps or, if
 * they cannot be trusted, since the audio began. Called in the order of time. */
typedef void kws_wake_fn(void *ctx, unsigned word, int64_t ms);

/* f MUST have been checked. Takes a share of r. KWS_ERR_NOMEM and what kws_spotter_create_in()
 * returns. */
enum kws_status kws_wake_create(kws_wake **out, kws_roster *r, const kws_pcm_format *f,
				kws_wake_fn *fn, void *ctx, kws_error *err);
void kws_wake_destroy(kws_wake *w);

/* Begin anew, as after create. */
void kws_wake_restart(kws_wake *w);

/* Use another roster from now on. Models that are in both keep what they have heard; the others hear
 * the last seconds again, so that a word that is being said is told, and told once. On failure
 * nothing has changed. */
enum kws_status kws_wake_change(kws_wake *w, kws_roster *r, kws_error *err);
const kws_roster *kws_wake_roster(const kws_wake *w);
const kws_pcm_format *kws_wake_format(const kws_wake *w);

/* A chunk begins; it has a timestamp, 0..2^53, or not. */
void kws_wake_chunk(kws_wake *w, bool has, int64_t timestamp);
/* Add bytes (n,) of audio to the block. Returns how many fit. */
size_t kws_wake_take(kws_wake *w, const char *bytes, size_t n);
bool kws_wake_waits(const kws_wake *w); /* there is audio in the block */
bool kws_wake_is_full(const kws_wake *w);

/* Hear the blocks of w (n,), n at most KWS_WAKE_TOGETHER, each of them once; faster than one by
 * one. Then they are empty. */
enum { KWS_WAKE_TOGETHER = 32 };
void kws_wake_hear(kws_wake *const *w, size_t n);

/* The audio has ended; the block MUST be empty. Decide what is still open. Only restart or destroy
 * may follow. */
void kws_wake_end(kws_wake *w);

#endif
