/* PocketSphinx in the comparison, as bench/peer.h: bench_pocketsphinx DIR. It looks for ten phrases,
 * the commands of our model, in audio that comes 40 ms at a time. */
#include "bench/peer.h"

#include <pocketsphinx.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MODEL "/usr/share/pocketsphinx/model/en-us/"

typedef struct {
	ps_decoder_t *decoder;
	const short *pcm;
	size_t n;
} bench;

static void live(void *ctx)
{
	const bench *b = ctx;
	ps_start_utt(b->decoder);
	for (size_t at = 0; at < b->n; at += KWS_PEER_FRAME) {
		ps_process_raw(b->decoder, b->pcm + at, KWS_PEER_FRAME, FALSE, FALSE);
		if (ps_get_hyp(b->decoder,
			       NULL)) { /* as its programs do: report it, and begin anew */
			ps_end_utt(b->decoder);
			ps_start_utt(b->decoder);
		}
	}
	ps_end_utt(b->decoder);
}

static const kws_peer_row rows[] = {
	{ "live", "ten phrases, 40 ms a call", live },
};

/* The phrases with a threshold each. */
static bool write_phrases(int fd)
{
	static const char *const words[] = { "yes",   "no", "up",  "down", "left",
					     "right", "on", "off", "stop", "go" };
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (dprintf(fd, "%s /1e-5/\n", words[i]) < 0)
			return false;
	return true;
}

int main(int argc, char **argv)
{
	char phrases[] = "/tmp/bench_phrases.XXXXXX";
	bench b = { 0 };
	if (argc != 2) {
		fputs("usage: bench_pocketsphinx DIR\n", stderr);
		return 2;
	}
	if (access(MODEL "en-us/mdef", R_OK))
		return kws_peer_missing("its model is not installed (pocketsphinx-en-us)");
	short *pcm = kws_peer_audio(argv[1], &b.n);
	const int fd = pcm ? mkstemp(phrases) : -1;
	if (fd < 0 || !write_phrases(fd) || close(fd))
		return 1;
	cmd_ln_t *config = cmd_ln_init(NULL, ps_args(), TRUE, "-hmm", MODEL "en-us", "-dict",
				       MODEL "cmudict-en-us.dict", "-kws", phrases, "-logfn",
				       "/dev/null", NULL);
	b.pcm = pcm;
	b.decoder = config ? ps_init(config) : NULL;
	unlink(phrases);
	int status = 1;
	if (b.decoder)
		status = kws_peer_serve(KWS_POCKETSPHINX, rows, 1, &b,
					(double)b.n / KWS_PEER_RATE_HZ);
	if (b.decoder)
		ps_free(b.decoder);
	cmd_ln_free_r(config);
	free(pcm);
	return status;
}
