/* kws doctor - looks for what keeps the machine from hearing, and says what to do about it. */
#include "audio/device.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/out.h"

#include <errno.h>
#include <glob.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

typedef struct {
	kws_device_config device;
	const char *model;
	unsigned seconds;
	unsigned failed, warned;
} visit;

static const struct argp_option options[] = {
	{ "device", 'd', "NAME", 0, "Microphone to examine (default: default)", 0 },
	{ "model", 'm', "FILE", 0, "Model to examine (default: the installed one, or $KWS_MODEL)",
	  0 },
	{ "channel", 'c', "N", 0, "Hear channel N, counted from 1 (default: the mean of all)", 0 },
	{ "seconds", 's', "N", 0, "Listen so long (default 3)", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	visit *v = state->input;

	switch (key) {
	case 'd': v->device.name = arg; return 0;
	case 'm': v->model = arg; return 0;
	case 'c': v->device.channel = kws_args_need(state, "--channel", arg, 1, 32); return 0;
	case 's': v->seconds = kws_args_need(state, "--seconds", arg, 1, 3600); return 0;
	case ARGP_KEY_ARG: argp_error(state, "no arguments are wanted"); return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.doc = "Examine model, sound system, microphone and clock.\vSpeak while it listens. The "
	       "exit status is 0 when nothing is "
	       "wrong, 1 when something keeps kwsd from hearing.",
};

enum verdict { GOOD, ODD, BAD };

/* One finding a line; what to do stands below it. */
__attribute__((format(printf, 3, 4))) static void find(visit *v, enum verdict verdict,
						       const char *format, ...)
{
	static const char *const mark[] = { "ok   ", "odd  ", "BAD  " };
	va_list ap;

	v->failed += verdict == BAD;
	v->warned += verdict == ODD;
	fputs(mark[verdict], stdout);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}

static void advise(const char *text)
{
	printf("     -> %s\n", text);
}

static void check_model(visit *v)
{
	kws_model *m = kws_args_open_model(v->model);

	if (!m) {
		find(v, BAD, "the model could not be loaded (see above)");
		advise("name a model file with -m, or model.path in kwsd.conf");
		return;
	}
	find(v, GOOD, "model %s: %zu classes at %u Hz", kws_model_name(m), kws_model_n_words(m),
	     kws_model_features(m)->rate_hz);
	kws_model_close(m);
}

static void check_clock(visit *v)
{
	struct timex t = { .modes = 0 };
	time_t now = time(NULL);

	if (now < 1700000000) {
		find(v, BAD, "the clock says %.24s", ctime(&now));
		advise("set it: events carry wall time");
	} else if (adjtimex(&t) == TIME_ERROR || (t.status & STA_UNSYNC)) {
		find(v, ODD, "the clock is not synchronised with others");
		advise("events of several machines will not line up; enable systemd-timesyncd, "
		       "chrony or ntpd");
	} else {
		find(v, GOOD, "the clock is set and synchronised");
	}
}

/* Why may there be no sound card? */
static void explain_no_input(visit *v)
{
	glob_t g = { 0 };
	size_t cards = 0, closed = 0;

	if (glob("/dev/snd/pcm*c", 0, NULL, &g) == 0)
		for (size_t i = 0; i < g.gl_pathc; i++) {
			cards++;
			closed += access(g.gl_pathv[i], R_OK | W_OK) != 0;
		}
	globfree(&g);
	if (cards && closed == cards) {
		find(v, BAD,
		     "there are %zu recording devices in /dev/snd, and you may use none of them",
		     cards);
		advise("join the group audio: `usermod -aG audio USER', then log in again; a "
		       "service: SupplementaryGroups=audio");
	} else if (!cards) {
		find(v, BAD, "the kernel has no recording device (/dev/snd/pcm*c)");
		advise("plug a microphone in and look at `dmesg'; in a container, hand /dev/snd "
		       "on");
		advise("with PulseAudio or PipeWire only: set PULSE_SERVER, and pcm.!default { "
		       "type pulse } in ~/.asoundrc");
	} else {
		find(v, BAD,
		     "%zu recording devices in /dev/snd, and the sound system offers none of them",
		     cards);
		advise("look for mistakes in /etc/asound.conf and ~/.asoundrc; KWS_AUDIO_DEBUG=1 "
		       "shows what ALSA says");
	}
}

static bool check_system(visit *v)
{
	static kws_device_info list[KWS_DEVICE_MAX];
	kws_error err = { "" };
	size_t n;
	int at;

	if (!strncmp(v->device.name, "raw:", 4))
		return true;
	if (kws_device_list(list, KWS_DEVICE_MAX, &n, &err) != KWS_OK) {
		find(v, BAD, "%s", err.text);
		advise("ALSA_CONFIG_PATH, /etc/asound.conf or ~/.asoundrc is not what ALSA wants; "
		       "rename it and try again");
		explain_no_input(v);
		return false;
	}
	if (!n) {
		explain_no_input(v);
		return false;
	}
	find(v, GOOD, "the sound system has %zu inputs", n);
	at = kws_device_match(v->device.name, list, n, &err);
	if (at < 0) {
		find(v, BAD, "%s", err.text);
		advise("`kws devices' lists the names; part of one will do");
		return false;
	}
	find(v, GOOD, "%s is %s", v->device.name, list[at].id);
	return true;
}

static kws_device *check_open(visit *v)
{
	kws_device *d;
	kws_error err = { "" };

	if (kws_device_open(&d, &v->device, &err) != KWS_OK) {
		find(v, BAD, "cannot open it: %s", err.text);
		if (strstr(err.text, "unavailable") || strstr(err.text, "busy"))
			advise("another program has it: `fuser -v /dev/snd/*' names it; or use the "
			       "sound server's device (default, pulse)");
		else if (strstr(err.text, "sample rate"))
			advise("it wants another rate: `kws devices --rates' lists them; with "
			       "JACK, that of the server");
		else if (strstr(err.text, "ermission"))
			advise("join the group audio: `usermod -aG audio USER', then log in again");
		return NULL;
	}
	find(v, GOOD, "open at %u Hz, %u channels", kws_device_rate(d), kws_device_channels(d));
	if (kws_device_rate(d) < 16000) {
		find(v, ODD, "%u Hz carries sounds below %u Hz only", kws_device_rate(d),
		     kws_device_rate(d) / 2);
		advise("models hear 16000 Hz: a telephone's band costs hits");
	}
	return d;
}

/* What has been heard, in all. */
typedef struct {
	uint64_t n, clipped, same;
	double sum, square, seconds;
	float peak, last, quietest; /* quietest: mean square of the quietest 100 ms */
	kws_device_state st;
} sound;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void add(sound *s, const float *pcm, size_t n)
{
	double square = 0.0;

	for (size_t i = 0; i < n; i++) {
		s->clipped += fabsf(pcm[i]) >= 0.999f;
		s->same += !(pcm[i] < s->last || pcm[i] > s->last);
		s->last = pcm[i];
		s->peak = fmaxf(s->peak, fabsf(pcm[i]));
		s->sum += (double)pcm[i];
		square += (double)pcm[i] * (double)pcm[i];
	}
	s->n += n;
	s->square += square;
	if ((float)(square / (double)n) < s->quietest)
		s->quietest = (float)(square / (double)n);
}

static void listen_to(visit *v, kws_device *d, sound *s)
{
	size_t block = kws_device_rate(d) / 10;
	float *pcm = calloc(block, sizeof *pcm);
	double start = now(), first = 0.0;

	*s = (sound){ .quietest = 1.0f };
	while (pcm && now() - start < v->seconds + 2.0
	       && s->n < (uint64_t)v->seconds * kws_device_rate(d)) {
		struct timespec t = { .tv_nsec = 5000000 };

		kws_device_state_get(d, &s->st);
		while (kws_device_read(d, pcm, block)) {
			if (first <= 0.0)
				first = now();
			else
				s->seconds = now() - first;
			add(s, pcm, block);
		}
		if (s->st.ended && kws_device_available(d) < block)
			break;
		nanosleep(&t, NULL);
	}
	free(pcm);
}

static double decibels(double square)
{
	return 10.0 * log10(square + 1e-20);
}

static void check_flow(visit *v, const kws_device *d, const sound *s)
{
	double hz = kws_device_rate(d), block = floor(hz / 10.0);
	double seen = s->seconds > 1.0 ? ((double)s->n - block) / s->seconds : hz;

	if (!s->n) {
		find(v, BAD, "it sends nothing");
		advise("a source that is suspended, or a server that hangs: restart the sound "
		       "server, replug the microphone");
		return;
	}
	if (s->st.overflows || s->st.dropped) {
		find(v, ODD, "audio was lost %lu times before it reached us",
		     s->st.overflows + (s->st.dropped > 0));
		advise("the machine is too busy, or audio.latency_ms too small");
	}
	if (!kws_device_is_pipe(d) && fabs(seen / hz - 1.0) > 0.05) {
		find(v, BAD, "it says %.0f Hz and sends %.0f samples a second", hz, seen);
		advise("set audio.rate_hz to what it really has: words at the wrong speed are "
		       "never found");
	} else {
		find(v, GOOD, "audio flows");
	}
}

static void check_sound(visit *v, const sound *s)
{
	double n = (double)s->n, dc = s->sum / n,
	       rms = decibels(fmax(s->square / n - dc * dc, 0.0));

	if (s->same + 1 >= s->n) {
		find(v, BAD, "digital silence: every sample is %g", (double)s->last);
		advise("muted? look at alsamixer (F4), pavucontrol, and the switch on the "
		       "microphone; or the wrong channel");
		return;
	}
	if (fabs(dc) > 0.02) {
		find(v, ODD, "a constant offset (DC) of %.1f %% of full scale", 100.0 * dc);
		advise("cheap sound cards have it; it costs headroom, and words survive it up to "
		       "about 10 %");
	}
	if (s->clipped > s->n / 10000) {
		find(v, ODD, "clipped: %.2f %% of the samples are at full scale",
		     100.0 * (double)s->clipped / n);
		advise("turn the gain down (alsamixer, F4) until shouting stays below 0 dBFS");
	}
	if (rms < -65.0) {
		find(v, ODD, "very quiet: %.1f dBFS on average, peak %.1f dBFS", rms,
		     decibels((double)s->peak * (double)s->peak));
		advise("if you spoke: turn the gain up, switch the capture boost on, or come "
		       "nearer");
	} else {
		find(v, GOOD, "level %.1f dBFS, peak %.1f, quietest %.1f", rms,
		     decibels((double)s->peak * (double)s->peak), decibels((double)s->quietest));
	}
	if (decibels((double)s->quietest) > -30.0) {
		find(v, ODD, "loud even where it is quietest: %.1f dBFS",
		     decibels((double)s->quietest));
		advise("hum, hiss or music: words need some 10 dB more than that");
	}
}

int kws_cmd_doctor(int argc, char **argv)
{
	visit v = { .device = { .name = "default", .latency_ms = 40 }, .seconds = 3 };
	kws_device *d;
	sound s;

	kws_args_parse(&argp, argc, argv, &v);
	kws_device_prepare();
	check_model(&v);
	check_clock(&v);
	if (check_system(&v) && (d = check_open(&v))) {
		printf("     listening for %u s; speak ...\n", v.seconds);
		fflush(stdout);
		listen_to(&v, d, &s);
		check_flow(&v, d, &s);
		if (s.n)
			check_sound(&v, &s);
		kws_device_close(d);
	}
	printf("%u bad, %u odd\n", v.failed, v.warned);
	return v.failed ? KWS_EXIT_INPUT : KWS_EXIT_OK;
}
