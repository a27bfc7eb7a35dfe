/* Records takes from a microphone: shows when to speak, the level, and faults. Time is counted in
 * samples. */
#include "cli/cli.h"
#include "cli/enrol.h"
#include "spot/take.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	HOP_MS = 10,
	SETTLE = 50,	 /* hops to measure the level of the room, before the first take */
	BEFORE = 50,	 /* hops that are kept from before the voice */
	AFTER = 70,	 /* quiet hops that end a take */
	MOST = 500,	 /* hops of a take, at most */
	VOICED = 4,	 /* loud hops that begin a take */
	PATIENCE = 1500, /* hops to wait for a voice */
	BAR = 30,
	TRIES = 4, /* takes for each wanted one, at most */
};

static const float ABOVE = 9.0f, LEAST = -55.0f; /* a voice: dB above the room, and dBFS */

typedef struct {
	kws_device *device;
	size_t hop;
	unsigned rate_hz;
	float *pcm; /* (MOST + BEFORE + AFTER hops) */
	size_t n;   /* hops in pcm */
	float room; /* level of the room: dBFS of quiet hops */
	bool terminal;
	size_t heard; /* hops in all */
} recorder;

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

/* Read the next hop. False: no more audio comes. */
static bool next(recorder *r, float *pcm)
{
	for (unsigned idle = 0; !interrupted; idle++) {
		kws_device_state st;
		kws_device_state_get(r->device, &st);
		if (kws_device_read(r->device, pcm, r->hop)) {
			r->heard++;
			return true;
		}
		if (st.ended || (idle > 500 && !kws_device_is_pipe(r->device)))
			return false;
		const struct timespec t = { .tv_nsec = 10000000 };
		nanosleep(&t, NULL);
		kws_device_fetch(r->device);
	}
	return false;
}

static float level_of(const float *pcm, size_t n)
{
	double sum = 0.0;
	for (size_t i = 0; i < n; i++)
		sum += (double)pcm[i] * (double)pcm[i];
	return (float)(10.0 * log10(sum / (double)n + 1e-10));
}

/* Draw a bar from -60 to 0 dBFS over the last one. */
static void draw(const recorder *r, float level, const char *what)
{
	char bar[BAR + 1];
	if (!r->terminal || r->heard % 5)
		return;
	const int full = (int)((level + 60.0f) / 60.0f * BAR);
	for (int i = 0; i < BAR; i++)
		bar[i] = i < full ? '#' : '.';
	bar[BAR] = '\0';
	fprintf(stderr, "\r[%s] %4.0f dBFS  %-12s", bar, (double)level, what);
}

/* Update the level of the room: it falls fast and rises slowly. */
static void learn_room(recorder *r, float level)
{
	r->room += (level < r->room ? 0.3f : 0.02f) * (level - r->room);
}

static bool settle(recorder *r)
{
	float pcm[4096];
	for (int i = 0; i < SETTLE; i++) {
		if (!next(r, pcm))
			return false;
		const float level = level_of(pcm, r->hop);
		r->room = i ? r->room + 0.2f * (level - r->room) : level;
		draw(r, level, "hush");
	}
	return true;
}

/* Keep the last BEFORE hops until a voice begins. False: the audio ended, or nobody spoke. */
static bool wait_for_voice(recorder *r)
{
	const size_t bytes = r->hop * sizeof *r->pcm;
	int loud = 0;
	r->n = 0;
	for (int quiet = 0; loud < VOICED && quiet < PATIENCE; quiet++) {
		if (r->n == BEFORE) {
			memmove(r->pcm, r->pcm + r->hop, (BEFORE - 1) * bytes);
			r->n--;
		}
		float *to = r->pcm + r->n * r->hop;
		if (!next(r, to))
			return false;
		r->n++;
		const float level = level_of(to, r->hop);
		loud = level > fmaxf(r->room + ABOVE, LEAST) ? loud + 1 : 0;
		if (!loud)
			learn_room(r, level);
		draw(r, level, "speak now");
	}
	return loud == VOICED;
}

static void follow_voice(recorder *r)
{
	for (int quiet = 0; quiet < AFTER && r->n < MOST;) {
		float *to = r->pcm + r->n * r->hop;
		if (!next(r, to))
			return;
		r->n++;
		const float level = level_of(to, r->hop);
		quiet = level > fmaxf(r->room + ABOVE / 2.0f, LEAST) ? 0 : quiet + 1;
		draw(r, level, "");
	}
}

/* Examine the take, and keep it if it is good. False: no memory. */
static bool keep(recorder *r, kws_spoken_list *to)
{
	kws_take t;
	char name[32];
	const size_t n = r->n * r->hop;
	kws_take_judge(r->pcm, n, r->rate_hz, &t);
	if (r->terminal)
		fputs("\r\x1b[K", stderr);
	if (t.faults) {
		fprintf(stderr, "  not good: %s\n", kws_take_fault(t.faults));
		return true;
	}
	float *copy = malloc(n * sizeof *copy);
	if (!copy)
		return false;
	memcpy(copy, r->pcm, n * sizeof *copy);
	snprintf(name, sizeof name, "take %zu", to->n + 1);
	fprintf(stderr, "  good: %.2f s, %.0f dBFS, %.0f dB over the room\n",
		(double)(t.end - t.start) / r->rate_hz, (double)t.level_dbfs, (double)t.snr_db);
	const kws_spoken new = { .pcm = copy, .n = n, .rate_hz = r->rate_hz };
	return kws_spoken_add(to, name, &new);
}

static int record(recorder *r, kws_spoken_list *to, const char *word, size_t wanted)
{
	fprintf(stderr, "%s at %u Hz. Quiet for a moment...\n", kws_device_name(r->device),
		r->rate_hz);
	bool good = settle(r);
	for (size_t tries = 0; good && to->n < wanted && tries < TRIES * wanted; tries++) {
		fprintf(stderr, "Take %zu of %zu: say \"%s\".%s\n", to->n + 1, wanted, word,
			to->n == 2 ? " Vary it: nearer, farther, faster, softer." : "");
		good = wait_for_voice(r);
		if (good) {
			follow_voice(r);
			if (!keep(r, to)) {
				kws_out_complain("%s", kws_strerror(KWS_ERR_NOMEM));
				return KWS_EXIT_INPUT;
			}
		}
	}
	if (to->n == wanted)
		return KWS_EXIT_OK;
	if (*kws_device_trouble(r->device))
		kws_out_complain("%s", kws_device_trouble(r->device));
	kws_out_complain("%zu good takes of %zu%s", to->n, wanted,
			 interrupted ? ": interrupted"
			 : good	     ? ""
				     : ": nothing more was said; `kws doctor' tells what keeps "
				       "this machine from hearing");
	return KWS_EXIT_INPUT;
}

int kws_record(kws_spoken_list *to, const kws_device_config *device, const char *word,
	       size_t wanted)
{
	recorder r = { .terminal = isatty(STDERR_FILENO) != 0 };
	kws_error err = { "" };
	struct sigaction sa = { .sa_handler = on_interrupt };
	int status = KWS_EXIT_INPUT;
	kws_device_prepare();
	if (kws_device_open(&r.device, device, &err) != KWS_OK) {
		kws_out_complain("%s; `kws devices' lists what there is", err.text);
		return KWS_EXIT_INPUT;
	}
	sigaction(SIGINT, &sa, NULL);
	r.rate_hz = kws_device_rate(r.device);
	r.hop = r.rate_hz / (1000 / HOP_MS);
	r.pcm = calloc((MOST + 1) * r.hop, sizeof *r.pcm);
	if (r.pcm)
		status = record(&r, to, word, wanted);
	else
		kws_out_complain("%s", kws_strerror(KWS_ERR_NOMEM));
	kws_device_close(r.device);
	free(r.pcm);
	return status;
}
