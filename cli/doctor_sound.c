/* doctor_sound.c - the sound's side of kws doctor: permissions, sound system, microphone. */
#include "cli/doctor.h"
#include "nearest.h"

#include <errno.h>
#include <glob.h>
#include <grp.h>
#include <math.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---- permissions and the sound system ---- */

static const char *user_name(void)
{
	const struct passwd *p = getpwuid(geteuid());
	return p ? p->pw_name : "USER";
}

static void paste_join_audio(kws_findings *f)
{
	kws_find_advise(f, "join the group audio, then log in again; a service of your own joins "
			   "with SupplementaryGroups=audio:");
	kws_find_paste(f, "sudo usermod -aG audio %s", user_name());
}

/* Whether this process is in the group audio. */
static bool in_audio(void)
{
	const struct group *g = getgrnam("audio");
	gid_t groups[256];
	const int n = getgroups(256, groups);
	if (!g || getegid() == g->gr_gid)
		return g != NULL;
	for (int i = 0; i < n; i++)
		if (groups[i] == g->gr_gid)
			return true;
	return false;
}

/* May we use the recording devices of the kernel? Returns how many there are. */
static size_t check_permission(kws_findings *f)
{
	glob_t g = { 0 };
	size_t cards = 0, closed = 0;

	if (glob("/dev/snd/pcm*c", 0, NULL, &g) == 0)
		for (size_t i = 0; i < g.gl_pathc; i++) {
			cards++;
			closed += access(g.gl_pathv[i], R_OK | W_OK) != 0;
		}
	globfree(&g);
	if (closed) {
		kws_find(f, closed == cards ? KWS_FIND_BAD : KWS_FIND_ODD,
			 "%zu of the %zu recording devices in /dev/snd are closed to %s, who is%s "
			 "in the group audio",
			 closed, cards, user_name(), in_audio() ? "" : " not");
		paste_join_audio(f);
	} else if (cards) {
		kws_find(f, KWS_FIND_OK, "%s may use the %zu recording devices in /dev/snd",
			 user_name(), cards);
	}
	return cards;
}

static void explain_no_input(kws_findings *f, size_t cards)
{
	if (cards) {
		kws_find(f, KWS_FIND_BAD,
			 "%zu recording devices in /dev/snd, and the sound system offers none of "
			 "them",
			 cards);
		kws_find_advise(f, "look for mistakes in /etc/asound.conf and ~/.asoundrc; this "
				   "shows what ALSA says:");
		kws_find_paste(f, "KWS_AUDIO_DEBUG=1 kws devices");
		return;
	}
	kws_find(f, KWS_FIND_BAD, "the kernel has no recording device (/dev/snd/pcm*c)");
	kws_find_advise(f, "plug a microphone in, and look for it; in a container, hand /dev/snd "
			   "on:");
	kws_find_paste(f, "sudo dmesg | grep -i -e audio -e snd | tail");
	kws_find_advise(f, "with PulseAudio or PipeWire only, set PULSE_SERVER, and this in "
			   "~/.asoundrc:");
	kws_find_paste(f, "pcm.!default { type pulse }");
}

/* Name the device that was meant, as the configuration wants it. */
static void paste_device(kws_findings *f, const char *name, const kws_device_info *list, size_t n)
{
	kws_nearest near;

	kws_nearest_init(&near, name);
	for (size_t i = 0; i < n; i++) {
		kws_nearest_offer(&near, list[i].id);
		kws_nearest_offer(&near, list[i].card);
	}
	for (size_t i = 0; i < n && !near.name; i++)
		if (list[i].is_default)
			near.name = list[i].id;
	kws_find_advise(f, "part of a name of `kws devices' will do, for -d and in kwsd.conf:");
	kws_find_paste(f, "[audio]");
	kws_find_paste(f, "device = %s", near.name ? near.name : list[0].id);
}

static bool check_system(kws_findings *f, const char *name)
{
	static kws_device_info list[KWS_DEVICE_MAX];
	kws_error err = { "" };
	size_t n;

	if (!strncmp(name, "raw:", 4))
		return true;
	const size_t cards = check_permission(f);
	if (kws_device_list(list, KWS_DEVICE_MAX, &n, &err) != KWS_OK) {
		kws_find(f, KWS_FIND_BAD, "%s", err.text);
		kws_find_advise(f, "ALSA_CONFIG_PATH, /etc/asound.conf or ~/.asoundrc is not what "
				   "ALSA wants; move it away and try again:");
		kws_find_paste(f, "mv ~/.asoundrc ~/.asoundrc.old; kws devices");
		explain_no_input(f, cards);
		return false;
	}
	if (!n) {
		explain_no_input(f, cards);
		return false;
	}
	kws_find(f, KWS_FIND_OK, "the sound system has %zu inputs", n);
	const int at = kws_device_match(name, list, n, &err);
	if (at < 0) {
		kws_find(f, KWS_FIND_BAD, "%s", err.text);
		paste_device(f, name, list, n);
		return false;
	}
	kws_find(f, KWS_FIND_OK, "%s is %s", name, list[at].id);
	return true;
}

static void explain_refusal(kws_findings *f, const char *why)
{
	if (strstr(why, "unavailable") || strstr(why, "busy")) {
		kws_find_advise(f, "another program has it, kwsd itself perhaps; this names it:");
		kws_find_paste(f, "fuser -v /dev/snd/*");
		kws_find_advise(f, "or share it, through the sound server, in kwsd.conf:");
		kws_find_paste(f, "[audio]");
		kws_find_paste(f, "device = pulse");
	} else if (strstr(why, "sample rate")) {
		kws_find_advise(f, "it wants another rate, with JACK that of the server; this "
				   "lists them:");
		kws_find_paste(f, "kws devices --rates");
	} else if (strstr(why, "ermission")) {
		paste_join_audio(f);
	}
}

static kws_device *check_open(kws_findings *f, const kws_device_config *config)
{
	kws_device *d;
	kws_error err = { "" };

	if (kws_device_open(&d, config, &err) != KWS_OK) {
		kws_find(f, KWS_FIND_BAD, "cannot open it: %s", err.text);
		explain_refusal(f, err.text);
		return NULL;
	}
	kws_find(f, KWS_FIND_OK, "open at %u Hz, %u channels", kws_device_rate(d),
		 kws_device_channels(d));
	if (kws_device_rate(d) < 16000) {
		kws_find(f, KWS_FIND_ODD, "%u Hz carries sounds below %u Hz only",
			 kws_device_rate(d), kws_device_rate(d) / 2);
		kws_find_advise(f, "models hear 16000 Hz: a telephone's band costs hits; if it can "
				   "do more, in kwsd.conf:");
		kws_find_paste(f, "[audio]");
		kws_find_paste(f, "rate_hz = 16000");
	}
	return d;
}

/* ---- the sound itself ---- */

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

/* false: out of memory. */
static bool listen_to(kws_device *d, unsigned seconds, sound *s)
{
	size_t block = kws_device_rate(d) / 10;
	float *pcm = calloc(block, sizeof *pcm);
	double start = now(), first = 0.0;

	*s = (sound){ .quietest = 1.0f };
	while (pcm && now() - start < seconds + 2.0
	       && s->n < (uint64_t)seconds * kws_device_rate(d)) {
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
	const bool good = pcm != NULL;
	free(pcm);
	return good;
}

static double decibels(double square)
{
	return 10.0 * log10(square + 1e-20);
}

static void check_flow(kws_findings *f, const kws_device *d, const sound *s)
{
	double hz = kws_device_rate(d), block = floor(hz / 10.0);
	double seen = s->seconds > 1.0 ? ((double)s->n - block) / s->seconds : hz;

	if (!s->n) {
		kws_find(f, KWS_FIND_BAD, "it sends nothing");
		kws_find_advise(f, "a source that is suspended, or a server that hangs: replug the "
				   "microphone, or start the sound server anew:");
		kws_find_paste(f, "systemctl --user restart pipewire wireplumber pulseaudio");
		return;
	}
	if (s->st.overflows || s->st.dropped) {
		kws_find(f, KWS_FIND_ODD, "audio was lost %lu times before it reached us",
			 s->st.overflows + (s->st.dropped > 0));
		kws_find_advise(f, "the machine is too busy, or the buffer too small, in "
				   "kwsd.conf:");
		kws_find_paste(f, "[audio]");
		kws_find_paste(f, "latency_ms = 100");
	}
	if (!kws_device_is_pipe(d) && fabs(seen / hz - 1.0) > 0.05) {
		kws_find(f, KWS_FIND_BAD, "it says %.0f Hz and sends %.0f samples a second", hz,
			 seen);
		kws_find_advise(f, "words at the wrong speed are never found; open it at what it "
				   "really has, in kwsd.conf:");
		kws_find_paste(f, "[audio]");
		kws_find_paste(f, "rate_hz = %.0f", 100.0 * round(seen / 100.0));
	} else {
		kws_find(f, KWS_FIND_OK, "audio flows");
	}
}

static void check_level(kws_findings *f, const sound *s, double rms)
{
	const double peak = decibels((double)s->peak * (double)s->peak),
		     quietest = decibels((double)s->quietest);

	if (rms < -65.0) {
		kws_find(f, KWS_FIND_ODD, "very quiet: %.1f dBFS on average, peak %.1f dBFS", rms,
			 peak);
		kws_find_advise(f, "if you spoke: come nearer, or turn up the gain and the capture "
				   "boost:");
		kws_find_paste(f, "alsamixer -V capture");
	} else {
		kws_find(f, KWS_FIND_OK, "level %.1f dBFS, peak %.1f, quietest %.1f", rms, peak,
			 quietest);
	}
	if (quietest > -30.0) {
		kws_find(f, KWS_FIND_ODD, "loud even where it is quietest: %.1f dBFS", quietest);
		kws_find_advise(f, "hum, hiss or music: words need some 10 dB more than that");
	}
}

static void check_sound(kws_findings *f, const sound *s)
{
	double n = (double)s->n, dc = s->sum / n,
	       rms = decibels(fmax(s->square / n - dc * dc, 0.0));

	if (s->same + 1 >= s->n) {
		kws_find(f, KWS_FIND_BAD, "digital silence: every sample is %g", (double)s->last);
		kws_find_advise(f, "muted? there is a switch on many microphones, and one here; or "
				   "it is the wrong channel:");
		kws_find_paste(f, "alsamixer -V capture");
		return;
	}
	if (fabs(dc) > 0.02) {
		kws_find(f, KWS_FIND_ODD, "a constant offset (DC) of %.1f %% of full scale",
			 100.0 * dc);
		kws_find_advise(f, "cheap sound cards have it; it costs headroom, and words "
				   "survive it up to about 10 %%");
	}
	if (s->clipped > s->n / 10000) {
		kws_find(f, KWS_FIND_ODD, "clipped: %.2f %% of the samples are at full scale",
			 100.0 * (double)s->clipped / n);
		kws_find_advise(f, "turn the gain down until shouting stays below 0 dBFS:");
		kws_find_paste(f, "alsamixer -V capture");
	}
	check_level(f, s, rms);
}

void kws_doctor_sound(kws_findings *f, const kws_device_config *device, unsigned seconds)
{
	kws_device *d;
	sound s;

	if (!check_system(f, device->name))
		return;
	d = check_open(f, device);
	if (!d)
		return;
	if (f->format == KWS_FORMAT_TEXT) {
		printf("     listening for %u s; speak ...\n", seconds);
		kws_out_flush();
	}
	if (listen_to(d, seconds, &s)) {
		check_flow(f, d, &s);
		if (s.n)
			check_sound(f, &s);
	} else {
		kws_find(f, KWS_FIND_BAD, "%s", kws_strerror(KWS_ERR_NOMEM));
		kws_find_advise(f, "end other programs; the sound was not listened to");
	}
	kws_device_close(d);
}
