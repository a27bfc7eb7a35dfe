#include "spot/sounds.h"

#include <math.h>

/* dB of the noise relative to the word, and of the speech before it. */
static const float NOISE_LO = -25.0f, NOISE_HI = -3.0f, SPEECH_LO = -8.0f, SPEECH_HI = 5.0f;

enum { GAP = 30 /* frames of 10 ms between the speech and the word, at most */ };

bool kws_sounds_has(const kws_bank *b, enum kws_bank_sound which, size_t n_mels)
{
	size_t n, have;
	kws_bank_sound(b, which, &n, &have);
	return n && have == n_mels;
}

/* The mean power of frames first..first + n. */
static float power_of(const kws_word_frames *f, size_t first, size_t n)
{
	double sum = 0.0;
	for (size_t i = first * f->n_mels; i < (first + n) * f->n_mels; i++)
		sum += (double)expf(f->at[i]);
	return (float)(sum / (double)(n ? n : 1)) + 1e-12f;
}

/* A place in a sound of the bank. */
typedef struct {
	const signed char *frames;
	size_t n, n_mels, from;
} place;

static place somewhere(kws_random *r, const kws_bank *b, enum kws_bank_sound which)
{
	place p;
	p.frames = kws_bank_sound(b, which, &p.n, &p.n_mels);
	p.from = kws_random_below(r, p.n);
	return p;
}

/* Band m of frame i from there on; after the end of the sound it begins again. */
static float value(const place *p, size_t i, size_t m)
{
	return (float)p->frames[(p->from + i) % p->n * p->n_mels + m] / KWS_SOUND_SCALE;
}

/* Add the sound to the first n frames. db: of its mean power, relative to that of the word. Powers
 * add, because the phases of two sounds have nothing to do with each other. */
static void add(const place *p, kws_word_frames *f, size_t n, float word, float db)
{
	double sum = 1e-12;
	for (size_t i = 0; i < n; i++)
		for (size_t m = 0; m < f->n_mels; m++)
			sum += (double)expf(value(p, i, m));
	const float gain = logf(word / ((float)sum / (float)(n ? n : 1))) + db * 0.230258509f;
	for (size_t i = 0; i < n; i++)
		for (size_t m = 0; m < f->n_mels; m++) {
			float *x = &f->at[i * f->n_mels + m];
			const float y = gain + value(p, i, m);
			const float high = fmaxf(*x, y), low = fminf(*x, y);
			*x = high + log1pf(expf(low - high));
		}
}

void kws_sounds_add_noise(kws_random *r, const kws_bank *b, kws_word_frames *f)
{
	const place p = somewhere(r, b, KWS_BANK_NOISE);
	const float word = power_of(f, f->start, f->end - f->start);
	add(&p, f, f->n, word, kws_random_uniform(r, NOISE_LO, NOISE_HI));
}

void kws_sounds_add_speech(kws_random *r, const kws_bank *b, kws_word_frames *f)
{
	const place p = somewhere(r, b, KWS_BANK_SPEECH);
	const size_t gap = kws_random_below(r, GAP + 1);
	const float word = power_of(f, f->start, f->end - f->start);
	add(&p, f, f->start > gap ? f->start - gap : 0, word,
	    kws_random_uniform(r, SPEECH_LO, SPEECH_HI));
}
