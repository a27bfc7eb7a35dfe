/* hundred_streams MODEL FILE.raw: a hundred listeners to the same recording (16 kHz, 32-bit floats), each a second later than
 * the one before, fed together 40 ms at a time; how many words each heard.
 *
 *   cc hundred_streams.c $(pkg-config --cflags --libs kws) -o hundred_streams */
#include <kws/kws.h>
#include <stdio.h>
#include <stdlib.h>

enum { STREAMS = 100, HZ = 16000, PIECE = HZ / 25, LATER = HZ };

static void on_event(void *ctx, const kws_event *ev)
{
	(void)ev;
	++*(unsigned *)ctx;
}

int main(int argc, char **argv)
{
	static float pcm[120 * HZ];
	static kws_spotter *spotter[STREAMS];
	static unsigned heard[STREAMS];
	kws_error err;
	kws_model *m;
	kws_group *g;
	FILE *f = argc == 3 ? fopen(argv[2], "rb") : NULL;
	if (!f)
		return fprintf(stderr, "usage: hundred_streams MODEL FILE.raw\n"), 2;
	const size_t n = fread(pcm, sizeof *pcm, sizeof pcm / sizeof *pcm, f) / PIECE * PIECE;
	fclose(f);
	if (kws_model_open(&m, argv[1], &err) || kws_group_create(&g, m, &err))
		return fprintf(stderr, "%s\n", err.text), 1;
	for (size_t now = 0; now < n + STREAMS * LATER; now += PIECE) {
		kws_spotter_input in[STREAMS];
		size_t n_in = 0;
		for (size_t i = 0; i < STREAMS; i++) {
			const size_t begin = i * LATER;
			if (now == begin) { /* streams come ... */
				kws_spotter_config config = KWS_SPOTTER_CONFIG;
				config.on_event = on_event;
				config.ctx = &heard[i];
				if (kws_spotter_create_in(&spotter[i], g, HZ, &config, &err))
					return fprintf(stderr, "%s\n", err.text), 1;
			}
			if (now >= begin && now < begin + n)
				in[n_in++] =
					(kws_spotter_input){ spotter[i], pcm + now - begin, PIECE };
		}
		kws_spotter_process_all(in, n_in);
		for (size_t i = 0; i < STREAMS; i++)
			if (spotter[i] && now + PIECE == i * LATER + n) { /* ... and go */
				kws_spotter_flush(spotter[i]);
				kws_spotter_destroy(spotter[i]);
				spotter[i] = NULL;
			}
	}
	for (size_t i = 0; i < STREAMS; i++)
		printf("%u\n", heard[i]);
	kws_group_destroy(g);
	kws_model_close(m);
	return 0;
}
