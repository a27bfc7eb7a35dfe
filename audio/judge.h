/* judge.h - what is wrong with a sound: too low, clipped, off the middle, channels that cancel.
 *
 * It is given the channels as they come, before the mix, and finds in them what costs words without
 * being an error. Constant time a sample, constant memory, nothing allocated after create. One
 * thread at a time. */
#ifndef KWS_AUDIO_JUDGE_H
#define KWS_AUDIO_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Worst first. */
enum kws_flaw {
	KWS_FLAW_NO_SOUND,	  /* as bytes are that mean something else */
	KWS_FLAW_EMPTY_HALVES,	  /* samples are cut in two, of which one is 0 */
	KWS_FLAW_NO_NUMBERS,	  /* samples that are infinite or not a number */
	KWS_FLAW_DIGITAL_SILENCE, /* one and the same value throughout */
	KWS_FLAW_CANCELLING,	  /* the channels cancel each other in the mix */
	KWS_FLAW_LOW,		  /* even the loudest of it is hardly there */
	KWS_FLAW_CLIPPED,	  /* cut off at full scale, or at its own peak */
	KWS_FLAW_OFFSET,	  /* a constant value under the sound */
	KWS_FLAW_DEAD_CHANNEL,	  /* one of several that has nothing */
	KWS_FLAW_NOISY_CHANNEL,	  /* one of several that has steady noise, and drowns the others */
	KWS_FLAW_NARROW,	  /* nothing above 4 kHz, though the rate could carry it */
	KWS_FLAW_STEADY,	  /* nothing rises above the background: no words either */
	KWS_N_FLAWS
};

typedef struct {
	bool has[KWS_N_FLAWS];
	double seconds;
	double level_dbfs, peak_dbfs; /* of what is heard; level: mean power */
	double loud_dbfs, quiet_dbfs; /* 95 and 10 % of all tenths of a second lie below */
	double high_dbfs;	      /* from 4.6 to 7.2 kHz, where it was loudest */
	double clipped;		      /* share of the samples, 0 to 1 */
	double no_numbers;	      /* share of the samples */
	double offset;		      /* of full scale, -1 to 1 */
	double cancelled_db;	      /* how far the mix lies below its channels */
	double value;		      /* of KWS_FLAW_DIGITAL_SILENCE */
	unsigned bad_channel;	      /* dead or noisy, counted from 1 */
	unsigned best_channel;	      /* worth hearing alone, counted from 1 */
} kws_findings;

typedef struct kws_judge kws_judge;

/* channel: the one that is heard, counted from 1; 0: the mean of all. NULL: out of memory. */
kws_judge *kws_judge_create(unsigned rate_hz, unsigned channels, unsigned channel);
void kws_judge_destroy(kws_judge *j);

/* Take n frames x (n, channels), and what is heard of them, mono (n,). */
void kws_judge_add(kws_judge *j, const float *x, const float *mono, size_t n);

/* What was found so far. Under half a second of sound only KWS_FLAW_NO_SOUND,
 * KWS_FLAW_EMPTY_HALVES and KWS_FLAW_NO_NUMBERS are found. */
void kws_judge_find(const kws_judge *j, kws_findings *out);

/* Forget all that was heard. */
void kws_judge_reset(kws_judge *j);

enum { KWS_FLAW_TEXT = 200 };

/* A flaw in words, with its measure and what to do: no name before it, no full stop behind. option:
 * what chooses a channel, up to its number: "--channel ". */
void kws_flaw_say(const kws_findings *f, enum kws_flaw flaw, const char *option,
		  char text[KWS_FLAW_TEXT]);

#endif
