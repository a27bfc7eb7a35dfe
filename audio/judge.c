#include "audio/judge.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	MOST = 32,     /* channels that are analysed one by one */
	LOWEST = -120, /* dBFS, the lowest bin */
	BINS = 1 - LOWEST,
	BLOCKS_A_SECOND = 10,
	WINDOW = 512, /* samples of each block that are analysed for their spectrum */
	TONES = 20,   /* frequencies that are measured */
	LEAST = 1000  /* least number of samples to tell bytes from sound */
};

/* One channel, or the mix. */
typedef struct {
	double sum, square;		/* in all */
	double block_sum, block_square; /* of the incomplete block */
	float low, high;		/* least and greatest sample */
	float last[2];			/* the last two samples */
	uint64_t at_low, at_high, full; /* samples that stay there; at full scale */
	double product;			/* sum over neighbouring samples */
	uint64_t no_numbers;		/* samples that count as 0 */
	uint64_t zeros;			/* samples that are 0 */
	uint32_t bins[BINS];		/* histogram of complete blocks by power without offset */
} track;

struct kws_judge {
	unsigned rate_hz, channels, channel;
	size_t block, in_block;
	uint64_t n;
	double high; /* greatest mean square from low_hz to high_hz over all windows */
	float hann[WINDOW], window[WINDOW];
	double turn[TONES]; /* 2 cos of a tone's angle from one sample to the next */
	unsigned n_tracks;
	track heard;
	track tracks[]; /* (n_tracks,) */
};

/* The band that is missing from telephone sound, or at a rate of 8000 Hz. */
static const double low_hz = 4600.0, high_hz = 7200.0, pi = 3.14159265358979323846;

static void clear(track *t)
{
	memset(t, 0, sizeof *t);
	t->low = INFINITY;
	t->high = -INFINITY;
}

kws_judge *kws_judge_create(unsigned rate_hz, unsigned channels, unsigned channel)
{
	const unsigned n = channel || channels < 2 ? 0 : channels < MOST ? channels : MOST;
	kws_judge *j = calloc(1, sizeof *j + n * sizeof j->tracks[0]);
	if (!j)
		return NULL;
	j->rate_hz = rate_hz;
	j->channels = channels;
	j->channel = channel;
	j->n_tracks = n;
	j->block = rate_hz / BLOCKS_A_SECOND;
	for (int i = 0; i < WINDOW; i++)
		j->hann[i] = (float)(0.5 - 0.5 * cos(2.0 * pi * (double)i / (double)WINDOW));
	for (int t = 0; t < TONES; t++)
		j->turn[t] = 2.0
			     * cos(2.0 * pi * (low_hz + (high_hz - low_hz) * t / (TONES - 1))
				   / (double)rate_hz);
	kws_judge_reset(j);
	return j;
}

void kws_judge_destroy(kws_judge *j)
{
	free(j);
}

void kws_judge_reset(kws_judge *j)
{
	j->n = j->in_block = 0;
	j->high = 0.0;
	clear(&j->heard);
	for (unsigned c = 0; c < j->n_tracks; c++)
		clear(&j->tracks[c]);
}

static double decibels(double power)
{
	return 10.0 * log10(power + 1e-20);
}

/* A wave touches its peak once or twice; a clipped wave stays there. */
static bool stays(const track *t, float v)
{
	return !(v < t->last[0] || v > t->last[0] || v < t->last[1] || v > t->last[1]);
}

static void add(track *t, const float *x, size_t step, size_t n)
{
	double sum = 0.0, square = 0.0, product = 0.0;
	for (size_t i = 0; i < n; i++) {
		const bool number = isfinite(x[i * step]);
		const float v = number ? x[i * step] : 0.0f;
		t->no_numbers += !number;
		sum += (double)v;
		square += (double)v * (double)v;
		product += (double)v * (double)t->last[0];
		if (v >= t->high) {
			t->at_high = v > t->high ? 0 : t->at_high + stays(t, v);
			t->high = v;
		}
		if (v <= t->low) {
			t->at_low = v < t->low ? 0 : t->at_low + stays(t, v);
			t->low = v;
		}
		t->last[1] = t->last[0];
		t->last[0] = v;
		t->full += fabsf(v) >= 0.999f;
		t->zeros += !(v < 0.0f || v > 0.0f);
	}
	t->block_sum += sum;
	t->block_square += square;
	t->product += product;
}

static void end_block(track *t, double n)
{
	const double mean = t->block_sum / n, power = t->block_square / n - mean * mean;
	const double db = decibels(fmax(power, 0.0));
	t->bins[db < LOWEST ? 0 : db >= 0.0 ? BINS - 1 : (int)(db - LOWEST)]++;
	t->sum += t->block_sum;
	t->square += t->block_square;
	t->block_sum = t->block_square = 0.0;
}

/* Whether the high band can be measured at this rate. At higher rates the window is too short to
 * separate 4 from 5 kHz. */
static bool has_high_band(const kws_judge *j)
{
	return j->rate_hz >= 15000 && j->rate_hz <= 50000;
}

/* The sum of the tones' powers in the window (Goertzel). All of them take a sample at once: each
 * waits for its own last step. */
static double power_of_tones(const kws_judge *j)
{
	double a[TONES] = { 0.0 }, b[TONES] = { 0.0 }, sum = 0.0;
	for (int i = 0; i < WINDOW; i++) {
		const double x = (double)(j->window[i] * j->hann[i]);
		for (int t = 0; t < TONES; t++) {
			const double next = x + j->turn[t] * a[t] - b[t];
			b[t] = a[t];
			a[t] = next;
		}
	}
	for (int t = 0; t < TONES; t++)
		sum += a[t] * a[t] + b[t] * b[t] - j->turn[t] * a[t] * b[t];
	return sum;
}

static void look_at_high_band(kws_judge *j)
{
	const double sum = power_of_tones(j);
	/* as if all bins of the band were like these; a Hann window has 3/8 of the power */
	const double bins = (high_hz - low_hz) / (double)j->rate_hz * (double)WINDOW;
	const double power = 2.0 * bins * sum / TONES / (double)WINDOW / (double)WINDOW / 0.375;
	j->high = fmax(j->high, power);
}

/* Keep the samples that belong to the window at the beginning of each block. */
static void fill_window(kws_judge *j, const float *mono, size_t n)
{
	if (j->in_block >= WINDOW || !has_high_band(j))
		return;
	const size_t k = n < WINDOW - j->in_block ? n : WINDOW - j->in_block;
	memcpy(j->window + j->in_block, mono, k * sizeof *mono);
	if (j->in_block + k == WINDOW)
		look_at_high_band(j);
}

void kws_judge_add(kws_judge *j, const float *x, const float *mono, size_t n)
{
	while (n > 0) {
		const size_t left = j->block - j->in_block, k = n < left ? n : left;
		fill_window(j, mono, k);
		add(&j->heard, mono, 1, k);
		for (unsigned c = 0; c < j->n_tracks; c++)
			add(&j->tracks[c], x + c, j->channels, k);
		j->n += k;
		j->in_block += k;
		if (j->in_block == j->block) {
			end_block(&j->heard, (double)j->block);
			for (unsigned c = 0; c < j->n_tracks; c++)
				end_block(&j->tracks[c], (double)j->block);
			j->in_block = 0;
		}
		x += k * j->channels;
		mono += k;
		n -= k;
	}
}

/* The power in dBFS below which this share of the blocks lies. */
static double percentile(const track *t, double share)
{
	uint64_t all = 0, below = 0;
	int i = 0;
	for (int b = 0; b < BINS; b++)
		all += t->bins[b];
	while (i < BINS - 1 && (double)(below + t->bins[i]) < share * (double)all)
		below += t->bins[i++];
	return (double)(LOWEST + i) + 0.5;
}

static double power_of(const track *t, double n)
{
	const double sum = t->sum + t->block_sum, square = t->square + t->block_square;
	return n > 0.0 ? fmax(square / n - sum / n * (sum / n), 0.0) : 0.0;
}

static bool is_steady(const track *t)
{
	return percentile(t, 0.95) - percentile(t, 0.1) < 4.0;
}

/* Steady full-scale noise in which a sample says nothing about the next: compressed sound, or a
 * wrong encoding or byte order. Or sound that is near full scale throughout, like 8-bit samples
 * that count from 0; clipped sound reaches full scale itself. No microphone and no music sounds like
 * that. */
static bool is_no_sound(const kws_judge *j)
{
	const track *t = &j->heard;
	if (j->n < LEAST || fmaxf(t->high, -t->low) > 1.0f)
		return false;
	const double n = (double)j->n, power = power_of(t, n), mean = (t->sum + t->block_sum) / n;
	const bool loud = decibels(power) > -9.0;
	if (loud && power + mean * mean > 0.7 && (double)t->full < 0.1 * n)
		return true;
	return loud && (j->n < j->block || percentile(t, 0.1) > -12.0)
	       && fabs(t->product / n - mean * mean) < 0.3 * power;
}

/* One of each two neighbouring samples is 0, and there is more than clicks: these are the lower
 * halves of 16-bit samples that were written as 32 bits. */
static bool has_empty_halves(const kws_judge *j)
{
	const track *t = &j->heard;
	const double n = (double)j->n, zeros = n > 0.0 ? (double)t->zeros / n : 1.0;
	return j->n >= LEAST && !(fabs(t->product) > 0.0) && zeros > 0.49 && zeros < 0.9;
}

static void find_in_channels(const kws_judge *j, kws_findings *out)
{
	const double n = (double)j->n;
	double mean = 0.0, best = -1.0, liveliest = 0.0;
	unsigned loud = 0, lively = 0;
	for (unsigned c = 0; c < j->n_tracks; c++) {
		const double p = power_of(&j->tracks[c], n);
		const double swing =
			percentile(&j->tracks[c], 0.95) - percentile(&j->tracks[c], 0.1);
		mean += p / j->n_tracks;
		if (p > 1.25 * best) { /* of equal channels, the first */
			best = p;
			loud = c;
		}
		if (p > 0.0 && swing > liveliest) {
			liveliest = swing;
			lively = c;
		}
	}
	out->best_channel = loud + 1;
	out->cancelled_db = decibels(mean) - decibels(power_of(&j->heard, n));
	/* the mean of n unrelated channels is 10 lg n dB lower */
	out->has[KWS_FLAW_CANCELLING] =
		decibels(mean) > -80.0 && out->cancelled_db > decibels(4.0 * j->channels);
	for (unsigned c = j->n_tracks; c-- > 0;)
		if (best > 1e-8 && power_of(&j->tracks[c], n) < 1e-5 * best) {
			out->has[KWS_FLAW_DEAD_CHANNEL] = true;
			out->bad_channel = c + 1;
		}
	if (liveliest > 12.0 && is_steady(&j->tracks[loud])
	    && percentile(&j->tracks[loud], 0.5) > percentile(&j->tracks[lively], 0.5)) {
		out->has[KWS_FLAW_NOISY_CHANNEL] = true;
		out->bad_channel = loud + 1;
		out->best_channel = lively + 1;
	}
}

void kws_judge_find(const kws_judge *j, kws_findings *out)
{
	const track *t = &j->heard;
	const double n = (double)j->n;
	*out = (kws_findings){ .seconds = n / (double)j->rate_hz };
	const double peak = j->n ? fmax(fabs((double)t->low), fabs((double)t->high)) : 0.0;
	out->offset = j->n ? (t->sum + t->block_sum) / n : 0.0;
	out->level_dbfs = decibels(power_of(t, n));
	out->peak_dbfs = decibels(peak * peak);
	out->loud_dbfs = percentile(t, 0.95);
	out->quiet_dbfs = percentile(t, 0.1);
	out->value = (double)t->high;
	/* a flat top: the same value again and again, at any level */
	const uint64_t flat = peak > 0.05 ? t->at_low + t->at_high : 0;
	out->clipped = j->n ? (double)(flat > t->full ? flat : t->full) / n : 0.0;
	out->no_numbers = j->n ? (double)t->no_numbers / n : 0.0;
	out->has[KWS_FLAW_NO_NUMBERS] = t->no_numbers > 0;
	out->has[KWS_FLAW_NO_SOUND] = is_no_sound(j);
	out->has[KWS_FLAW_EMPTY_HALVES] = has_empty_halves(j);
	if (out->seconds < 0.5 || out->has[KWS_FLAW_NO_SOUND])
		return;
	if (j->n_tracks)
		find_in_channels(j, out);
	const bool same = !(t->low < t->high);
	out->has[KWS_FLAW_DIGITAL_SILENCE] =
		same && !t->no_numbers && !out->has[KWS_FLAW_CANCELLING];
	if (same)
		return;
	out->has[KWS_FLAW_CLIPPED] = out->clipped > 3e-3;
	out->has[KWS_FLAW_OFFSET] = fabs(out->offset) > 0.02 * fmax(1.0, peak);
	out->has[KWS_FLAW_LOW] = out->loud_dbfs < -62.0 && !out->has[KWS_FLAW_CANCELLING];
	/* loud enough to stand out from 16-bit noise */
	out->high_dbfs = decibels(j->high);
	out->has[KWS_FLAW_NARROW] = has_high_band(j) && out->loud_dbfs > -45.0
				    && out->high_dbfs < out->level_dbfs - 60.0;
	/* blocks beyond full scale are not distinguished */
	out->has[KWS_FLAW_STEADY] = out->seconds >= 3.0 && is_steady(t) && out->loud_dbfs < 0.0;
}

__attribute__((format(printf, 2, 3))) static void say(char *text, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	vsnprintf(text, KWS_FLAW_TEXT, format, ap);
	va_end(ap);
}

const char *kws_flaw_name(enum kws_flaw flaw)
{
	switch (flaw) {
	case KWS_FLAW_NO_SOUND: return "no sound";
	case KWS_FLAW_EMPTY_HALVES: return "empty halves";
	case KWS_FLAW_NO_NUMBERS: return "no numbers";
	case KWS_FLAW_DIGITAL_SILENCE: return "digital silence";
	case KWS_FLAW_CANCELLING: return "cancelling channels";
	case KWS_FLAW_LOW: return "low";
	case KWS_FLAW_CLIPPED: return "clipped";
	case KWS_FLAW_OFFSET: return "offset";
	case KWS_FLAW_DEAD_CHANNEL: return "dead channel";
	case KWS_FLAW_NOISY_CHANNEL: return "noisy channel";
	case KWS_FLAW_NARROW: return "narrow band";
	case KWS_FLAW_STEADY: return "steady";
	case KWS_N_FLAWS: break;
	}
	return "";
}

/* Flaws that using another channel removes. */
static void say_of_channels(const kws_findings *f, enum kws_flaw flaw, const char *option,
			    char *text)
{
	switch (flaw) {
	case KWS_FLAW_CANCELLING:
		say(text,
		    "the channels cancel each other: their mix is %.0f dB below them; hear one "
		    "with "
		    "%s%u",
		    f->cancelled_db, option, f->best_channel);
		break;
	case KWS_FLAW_DEAD_CHANNEL:
		say(text, "channel %u is silent, and lowers the mix; hear another with %s%u",
		    f->bad_channel, option, f->best_channel);
		break;
	default:
		say(text, "channel %u is steady noise, and drowns the others; hear one with %s%u",
		    f->bad_channel, option, f->best_channel);
		break;
	}
}

void kws_flaw_say(const kws_findings *f, enum kws_flaw flaw, const char *option,
		  char text[KWS_FLAW_TEXT])
{
	switch (flaw) {
	case KWS_FLAW_NO_SOUND:
		say(text, "full-scale noise, like bytes of another format, encoding or byte order");
		break;
	case KWS_FLAW_EMPTY_HALVES:
		say(text,
		    "every second sample is 0, as if 32-bit samples were read as two of 16 bits");
		break;
	case KWS_FLAW_NO_NUMBERS:
		say(text,
		    "%.3g %% of the samples are not numbers (NaN or infinite); they count as 0",
		    100.0 * f->no_numbers);
		break;
	case KWS_FLAW_DIGITAL_SILENCE:
		say(text, "digital silence: every sample is %g", f->value);
		break;
	case KWS_FLAW_CANCELLING:
	case KWS_FLAW_DEAD_CHANNEL:
	case KWS_FLAW_NOISY_CHANNEL: say_of_channels(f, flaw, option, text); break;
	case KWS_FLAW_LOW:
		say(text, "very quiet: the loudest part is at %.0f dBFS; turn the gain up",
		    f->loud_dbfs);
		break;
	case KWS_FLAW_CLIPPED:
		if (f->peak_dbfs > 6.0)
			say(text, "beyond full scale: its peak is at %.1f dBFS; scale it down",
			    f->peak_dbfs);
		else
			say(text,
			    "clipped: %.1f %% of the samples are cut off at %.1f dBFS; turn the "
			    "gain down",
			    100.0 * f->clipped, f->peak_dbfs);
		break;
	case KWS_FLAW_OFFSET:
		say(text, "a constant offset (DC) of %.1f %% of full scale", 100.0 * f->offset);
		break;
	case KWS_FLAW_NARROW:
		say(text, "nothing above 4 kHz: telephone sound, or converted from a lower rate");
		break;
	case KWS_FLAW_STEADY:
		say(text, "nothing rises above the background, which is at %.0f dBFS",
		    f->loud_dbfs);
		break;
	case KWS_N_FLAWS: *text = '\0';
	}
}
