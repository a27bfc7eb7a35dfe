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

static void paste_join_audio(kws_diagnosis *f)
{
	kws_find_advise(f, "join the group audio, then log in again; your own service joins it "
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

/* Check that we may use the kernel's recording devices. Returns how many there are. */
static size_t check_permission(kws_diagnosis *f)
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

static void explain_no_input(kws_diagnosis *f, size_t cards)
{
	if (cards) {
		kws_find(f, KWS_FIND_BAD,
			 "there are %zu recording devices in /dev/snd, but the sound system offers "
			 "none of them",
			 cards);
		kws_find_advise(f, "look for mistakes in /etc/asound.conf and ~/.asoundrc; this "
				   "shows what ALSA says:");
		kws_find_paste(f, "KWS_AUDIO_DEBUG=1 kws devices");
		return;
	}
	kws_find(f, KWS_FIND_BAD, "the kernel has no recording device (/dev/snd/pcm*c)");
	kws_find_advise(f,
			"plug in a microphone, and look for it; in a container, pass on /dev/snd:");
	kws_find_paste(f, "sudo dmesg | grep -i -e audio -e snd | tail");
	kws_find_advise(f, "with PulseAudio or PipeWire only, set PULSE_SERVER, and this in "
			   "~/.asoundrc:");
	kws_find_paste(f, "pcm.!default { type pulse }");
}

/* Suggest the device that was meant, as a line of the configuration. */
static void paste_device(kws_diagnosis *f, const char *name, const kws_device_info *list, size_t n)
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
	kws_find_advise(f,
			"any part of a name from `kws devices' will do, for -d and in kwsd.conf:");
	kws_find_paste(f, "[audio]");
	kws_find_paste(f, "device = %s", near.name ? near.name : list[0].id);
}

static bool check_system(kws_diagnosis *f, const char *name)
{
	static kws_device_info list[KWS_DEVICE_MAX];
	kws_error err = { "" };
	size_t n;

	if (!strncmp(name, "raw:", 4))
		return true;
	const size_t cards = check_permission(f);
	if (kws_device_list(list, KWS_DEVICE_MAX, &n, &err) != KWS_OK) {
		kws_find(f, KWS_FIND_BAD, "%s", err.text);
		kws_find_advise(f, "ALSA does not accept ALSA_CONFIG_PATH, /etc/asound.conf or "
				   "~/.asoundrc; move it away and try again:");
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

static void explain_refusal(kws_diagnosis *f, const char *why)
{
	if (strstr(why, "unavailable") || strstr(why, "busy")) {
		kws_find_advise(f, "another program uses it, perhaps kwsd itself; this names it:");
		kws_find_paste(f, "fuser -v /dev/snd/*");
		kws_find_advise(f, "or share it, through the sound server, in kwsd.conf:");
		kws_find_paste(f, "[audio]");
		kws_find_paste(f, "device = pulse");
	} else if (strstr(why, "sample rate")) {
		kws_find_advise(
			f, "it needs another rate, with JACK that of the server; this lists them:");
		kws_find_paste(f, "kws devices --rates");
	} else if (strstr(why, "ermission")) {
		paste_join_audio(f);
	}
}

static kws_device *check_open(kws_diagnosis *f, const kws_device_config *config)
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
		kws_find(f, KWS_FIND_ODD, "%u Hz carries only sounds below %u Hz",
			 kws_device_rate(d), kws_device_rate(d) / 2);
		kws_find_advise(f, "models take 16000 Hz: the telephone band costs hits; if the "
				   "device can do more, in kwsd.conf:");
		kws_find_paste(f, "[audio]");
		kws_find_paste(f, "rate_hz = 16000");
	}
	return d;
}

/* ---- the sound itself ---- */

/* The sound so far. */
typedef struct {
	uint64_t n;
	double seconds; /* between the first block and the last */
	kws_device_state st;
} sound;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* False: out of memory. */
static bool listen_to(kws_device *d, unsigned seconds, sound *s)
{
	size_t block = kws_device_rate(d) / 10;
	float *pcm = calloc(block, sizeof *pcm);
	double start = now(), first = 0.0;

	*s = (sound){ 0 };
	while (pcm && now() - start < seconds + 2.0
	       && s->n < (uint64_t)seconds * kws_device_rate(d)) {
		struct timespec t = { .tv_nsec = 5000000 };

		kws_device_fetch(d);
		kws_device_state_get(d, &s->st);
		while (kws_device_read(d, pcm, block)) {
			if (first <= 0.0)
				first = now();
			else
				s->seconds = now() - first;
			s->n += block;
		}
		if (s->st.ended && kws_device_available(d) < block)
			break;
		nanosleep(&t, NULL);
	}
	const bool good = pcm != NULL;
	free(pcm);
	return good;
}

static void check_flow(kws_diagnosis *f, const kws_device *d, const sound *s)
{
	double hz = kws_device_rate(d), block = floor(hz / 10.0);
	double seen = s->seconds > 1.0 ? ((double)s->n - block) / s->seconds : hz;

	if (!s->n) {
		kws_find(f, KWS_FIND_BAD, "it sends nothing");
		kws_find_advise(f, "the source is suspended, or the sound server hangs: replug the "
				   "microphone, or restart the sound server:");
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
		kws_find(f, KWS_FIND_BAD, "it claims %.0f Hz but sends %.0f samples a second", hz,
			 seen);
		kws_find_advise(f, "words at the wrong speed are never found; open it at its real "
				   "rate, in kwsd.conf:");
		kws_find_paste(f, "[audio]");
		kws_find_paste(f, "rate_hz = %.0f", 100.0 * round(seen / 100.0));
	} else {
		kws_find(f, KWS_FIND_OK, "audio flows");
	}
}

enum { NOTHING, GAIN, CHANNEL }; /* to paste */

static const struct {
	enum kws_verdict verdict;
	const char *advice;
	int paste;
} about[KWS_N_FLAWS] = {
	[KWS_FLAW_NO_SOUND] = { KWS_FIND_BAD,
				"what does it send? a missing microphone, or a pipe with another "
				"encoding, sounds like that",
				NOTHING },
	[KWS_FLAW_EMPTY_HALVES] = { KWS_FIND_BAD,
				    "what does it send? kwsd reads raw PCM as 16 bits", NOTHING },
	[KWS_FLAW_NO_NUMBERS] = { KWS_FIND_ODD,
				  "something computes this sound wrongly, perhaps a filter of the "
				  "sound server; or the encoding is not f32",
				  NOTHING },
	[KWS_FLAW_DIGITAL_SILENCE] = { KWS_FIND_BAD,
				       "muted? many microphones have a switch, and so has the "
				       "mixer; or it is the wrong channel:",
				       GAIN },
	[KWS_FLAW_CANCELLING] = { KWS_FIND_BAD,
				  "a balanced pair with one line on each channel does that; use "
				  "one of them, in kwsd.conf:",
				  CHANNEL },
	[KWS_FLAW_LOW] = { KWS_FIND_ODD,
			   "if you spoke: come nearer, or turn up the gain and the capture "
			   "boost:",
			   GAIN },
	[KWS_FLAW_CLIPPED] = { KWS_FIND_ODD,
			       "turn the gain down until shouting stays below 0 dBFS:", GAIN },
	[KWS_FLAW_OFFSET] = { KWS_FIND_ODD,
			      "cheap sound cards have it; it costs headroom, but words are still "
			      "found up to about 10 %",
			      NOTHING },
	[KWS_FLAW_DEAD_CHANNEL] = { KWS_FIND_ODD, "use the other one, in kwsd.conf:", CHANNEL },
	[KWS_FLAW_NOISY_CHANNEL] = { KWS_FIND_ODD, "use the other one, in kwsd.conf:", CHANNEL },
	[KWS_FLAW_NARROW] = { KWS_FIND_ODD,
			      "models use sound up to 8 kHz: a missing band costs hits; Bluetooth "
			      "headsets do that",
			      NOTHING },
	[KWS_FLAW_STEADY] = { KWS_FIND_ODD,
			      "if you spoke: hum, hiss or music masks it; words must be some 10 dB "
			      "louder",
			      NOTHING },
};

static void tell_flaw(kws_diagnosis *f, const kws_findings *heard, enum kws_flaw flaw)
{
	char text[KWS_FLAW_TEXT];
	kws_flaw_say(heard, flaw, "--channel ", text);
	kws_find(f, about[flaw].verdict, "%s", text);
	if (about[flaw].advice)
		kws_find_advise(f, "%s", about[flaw].advice);
	if (about[flaw].paste == GAIN)
		kws_find_paste(f, "alsamixer -V capture");
	if (about[flaw].paste == CHANNEL) {
		kws_find_paste(f, "[audio]");
		kws_find_paste(f, "channel = %u", heard->best_channel);
	}
}

static void check_sound(kws_diagnosis *f, kws_device *d)
{
	kws_findings heard;
	bool level = true;

	if (*kws_device_trouble(d))
		kws_find(f, KWS_FIND_ODD, "%s", kws_device_trouble(d));
	if (!kws_device_findings(d, &heard))
		return;
	for (int i = 0; i < KWS_N_FLAWS; i++) {
		if (!heard.has[i])
			continue;
		tell_flaw(f, &heard, (enum kws_flaw)i);
		level &= i != KWS_FLAW_LOW && about[i].verdict != KWS_FIND_BAD;
	}
	if (level)
		kws_find(f, KWS_FIND_OK, "level %.1f dBFS, peak %.1f, quietest %.1f",
			 heard.level_dbfs, heard.peak_dbfs, heard.quiet_dbfs);
	if (level && heard.quiet_dbfs > -30.0) {
		kws_find(f, KWS_FIND_ODD, "the quietest part is loud: %.1f dBFS", heard.quiet_dbfs);
		kws_find_advise(f, "hum, hiss or music: words must be some 10 dB louder");
	}
}

void kws_doctor_sound(kws_diagnosis *f, const kws_device_config *device, unsigned seconds)
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
			check_sound(f, d);
	} else {
		kws_find(f, KWS_FIND_BAD, "%s", kws_strerror(KWS_ERR_NOMEM));
		kws_find_advise(f, "end other programs; the sound was not checked");
	}
	kws_device_close(d);
}
