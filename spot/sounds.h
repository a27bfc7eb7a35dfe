/* sounds.h - adds sounds of a bank to the log-mel frames of a take: noise, and speech before the word. */
#ifndef KWS_SPOT_SOUNDS_H
#define KWS_SPOT_SOUNDS_H

#include "spot/bank.h"
#include "spot/random.h"

/* Frames of a copy of a take; the word is in frames start..end. */
typedef struct {
	float *at; /* (n, n_mels) */
	size_t n, n_mels, start, end;
} kws_word_frames;

/* Whether the bank has the sound, for frames of n_mels values. */
bool kws_sounds_has(const kws_bank *b, enum kws_bank_sound which, size_t n_mels);

/* Add a random piece of noise to all frames. Its mean power is 3 to 25 dB below that of the word. */
void kws_sounds_add_noise(kws_random *r, const kws_bank *b, kws_word_frames *f);

/* Add a random piece of speech that ends 0 to 0.3 s before the word, 8 dB softer to 5 dB louder. */
void kws_sounds_add_speech(kws_random *r, const kws_bank *b, kws_word_frames *f);

#endif
