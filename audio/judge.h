/* judge.h - finds what is wrong with sound: too quiet, clipped, offset, channels that cancel.
 *
 * The input is the channels before mixing. The flaws are those that make the spotter miss words
 * without being errors. Constant time per sample, constant memory, nothing allocated after create.
 * One thread at a time. */
#ifndef KWS_AUDIO_JUDGE_H
#define KWS_AUDIO_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Worst first. */
enum kws_flaw {
	KWS_FLAW_NO_SOUND,	  /* noise, like bytes that are not samples */
	KWS_FLAW_EMPTY_HALVES,	  /* every second sample is 0: halves of wider samples */
	KWS_FLAW_NO_NUMBERS,	  /* samples that are infinite or NaN */
	KWS_FLAW_DIGITAL_SILENCE, /* the same value throughout */
	KWS_FLAW_CANCELLING,	  /* the channels cancel each other when mixed */
	KWS_FLAW_LOW,		  /* even the loudest part is hardly audible */
	KWS_FLAW_CLIPPED,	  /* cut off at full scale, or at a lower peak */
	KWS_FLAW_OFFSET,	  /* a constant offset (DC) */
	KWS_FLAW_DEAD_CHANNEL,	  /* one of several channels is silent */
	KWS_FLAW_NOISY_CHANNEL,	  /* one of several channels is steady noise and masks the rest */
	KWS_FLAW_NARROW,	  /* nothing above 4 kHz, although the rate would allow it */
	KWS_FLAW_STEADY,	  /* nothing rises above the background, so no words either */
	KWS_N_FLAWS
};

typedef struct {
	bool has[KWS_N_FLAWS];
	double seconds;
	double level_dbfs, peak_dbfs; /* of the mix; level: mean power */
	double loud_dbfs, quiet_dbfs; /* percentiles 95 and 10 of the level per 0.1 s */
	double high_dbfs;	      /* loudest level from 4.6 to 7.2 kHz */
	double clipped;		      /* share of the samples, 0 to 1 */
	double no_numbers;	      /* share of the samples */
	double offset;		      /* relative to full scale, -1 to 1 */
	double cancelled_db;	      /* how far the mix is below its channels */
	double value;		      /* of KWS_FLAW_DIGITAL_SILENCE */
	unsigned bad_channel;	      /* dead or noisy, counted from 1 */
	unsigned best_channel;	      /* best to use alone, counted from 1 */
} kws_findings;

typedef struct kws_judge kws_judge;

/* channel: the one that is used, counted from 1; 0: the mean of all. Returns NULL if out of
 * memory. */
kws_judge *kws_judge_create(unsigned rate_hz, unsigned channels, unsigned channel);
void kws_judge_destroy(kws_judge *j);

/* Add n frames x (n, channels), and the mono signal (n,) that is used of them. */
void kws_judge_add(kws_judge *j, const float *x, const float *mono, size_t n);

/* The findings so far. In less than half a second of sound, only KWS_FLAW_NO_SOUND,
 * KWS_FLAW_EMPTY_HALVES and KWS_FLAW_NO_NUMBERS can be found. */
void kws_judge_find(const kws_judge *j, kws_findings *out);

/* Forget all sound so far. */
void kws_judge_reset(kws_judge *j);

/* Its name, for programs: "digital silence", "clipped". */
const char *kws_flaw_name(enum kws_flaw flaw);

enum { KWS_FLAW_TEXT = 200 };

/* Describe a flaw with its measure and a remedy, without a name before it or a full stop after it.
 * option: the option that chooses a channel, without the number: "--channel ". */
void kws_flaw_say(const kws_findings *f, enum kws_flaw flaw, const char *option,
		  char text[KWS_FLAW_TEXT]);

#endif
