#include "cli/speak.h"

#include "cli/base.h"
#include "cli/child.h"
#include "cli/cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TIMEOUT_MS = 20000, MOST_S = 60, PAUSE_MS = 300 };

/* What follows the language in the name of a voice: espeak-ng's variants. */
static const char *const variants[] = {
	"", "+m2", "+m3", "+m5", "+m7", "+f1", "+f2", "+f3", "+f4"
};

/* Words a minute and pitch. */
static const struct {
	char rate[8], pitch[8];
} manners[] = { { "130", "45" }, { "155", "60" }, { "180", "35" }, { "210", "50" } };

enum {
	N_VARIANTS = sizeof variants / sizeof *variants,
	N_MANNERS = sizeof manners / sizeof *manners
};

/* Explain why espeak-ng did not speak. */
static void complain(const kws_child *c, bool started, const char *language)
{
	char first[200];
	if (!started && errno == ENOENT) {
		kws_out_complain(
			"--speak needs espeak-ng, which is not installed: apt install espeak-ng");
		return;
	}
	snprintf(first, sizeof first, "%.*s", (int)strcspn(c->err, "\n"), c->err);
	kws_out_complain("espeak-ng: %s (language %s)",
			 !started ? strerror(errno)
			 : *first ? first
				  : "it ended with a failure",
			 language);
}

/* The sound with silence around it, as a take has. NULL: no memory. */
static float *with_pauses(const float *pcm, size_t n, unsigned rate_hz, size_t *n_out)
{
	const size_t pause = (size_t)rate_hz * PAUSE_MS / 1000;
	*n_out = n + 2 * pause;
	float *out = calloc(*n_out, sizeof *out);
	if (out)
		memcpy(out + pause, pcm, n * sizeof *pcm);
	return out;
}

static bool add(kws_spoken_list *r, const char *path, const char *name)
{
	float *pcm, *whole;
	size_t n, n_whole;
	unsigned rate_hz;
	if (!kws_base_hear(path, 0, MOST_S, &pcm, &n, &rate_hz))
		return false;
	whole = with_pauses(pcm, n, rate_hz, &n_whole);
	free(pcm);
	const kws_spoken new = {
		.kind = KWS_TAKE_SYNTHETIC, .pcm = whole, .n = n_whole, .rate_hz = rate_hz
	};
	if (whole && kws_spoken_add(r, name, &new))
		return true;
	kws_out_complain("%s", kws_strerror(KWS_ERR_NOMEM));
	return false;
}

/* One voice in one manner. Returns an exit status. */
static int speak(kws_spoken_list *r, const char *text, const char *language, size_t v, size_t m,
		 char *path)
{
	static kws_child child;
	char voice[64], name[80], rate[8], pitch[8], words[1024];
	snprintf(voice, sizeof voice, "%.32s%s", language, variants[v]);
	memcpy(rate, manners[m].rate, sizeof rate);
	memcpy(pitch, manners[m].pitch, sizeof pitch);
	snprintf(name, sizeof name, "%s-%s", voice, rate);
	snprintf(words, sizeof words, "%s", text);
	char espeak[] = "espeak-ng", v_[] = "-v", s_[] = "-s", p_[] = "-p", w_[] = "-w",
	     end[] = "--";
	char *const argv[] = { espeak, v_, voice, s_, rate, p_, pitch, w_, path, end, words, NULL };
	const bool started = kws_child_run(&child, argv, TIMEOUT_MS);
	if (!started || kws_child_status(&child) != 0) {
		complain(&child, started, language);
		return KWS_EXIT_INPUT;
	}
	return add(r, path, name) ? KWS_EXIT_OK : KWS_EXIT_INPUT;
}

int kws_speak(kws_spoken_list *r, const char *text, const char *language)
{
	char path[KWS_BASE_PATH];
	int status = KWS_EXIT_OK;
	kws_base_temporary(path, "speak");
	const int fd = mkstemp(path);
	if (fd < 0) {
		kws_out_complain("%s: %s", path, strerror(errno));
		return KWS_EXIT_INPUT;
	}
	close(fd);
	for (size_t v = 0; status == KWS_EXIT_OK && v < N_VARIANTS; v++)
		for (size_t m = 0; status == KWS_EXIT_OK && m < N_MANNERS; m++)
			status = speak(r, text, language, v, m, path);
	unlink(path);
	return status;
}
