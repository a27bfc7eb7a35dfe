/* spot_file MODEL FILE: the words in a recording, one line each. Any format that libsndfile reads.
 *
 *   cc spot_file.c $(pkg-config --cflags --libs kws sndfile) -o spot_file */
#include <kws/kws.h>
#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>

static void on_event(void *ctx, const kws_event *ev)
{
	const kws_model *m = ctx;
	const double hz = kws_model_rate_hz(m);
	printf("%.6f,%.6f,%s,%.6f\n", (double)ev->start / hz, (double)ev->end / hz,
	       kws_model_word(m, ev->word), (double)ev->score);
}

/* The mean of all channels. */
static void mix(const float *frames, size_t n, size_t channels, float *mono)
{
	for (size_t i = 0; i < n; i++) {
		float sum = 0.0f;
		for (size_t c = 0; c < channels; c++)
			sum += frames[i * channels + c];
		mono[i] = sum / (float)channels;
	}
}

int main(int argc, char **argv)
{
	enum { BLOCK = 4096, CHANNELS = 8 };
	static float frames[BLOCK * CHANNELS], mono[BLOCK];
	SF_INFO info = { 0 };
	kws_error err;
	kws_model *m;
	kws_spotter *sp;
	sf_count_t n;
	if (argc != 3)
		return fprintf(stderr, "usage: spot_file MODEL FILE\n"), 2;
	SNDFILE *f = sf_open(argv[2], SFM_READ, &info);
	if (!f || info.channels > CHANNELS)
		return fprintf(stderr, "%s: %s\n", argv[2],
			       f ? "too many channels" : sf_strerror(NULL)),
		       1;
	if (kws_model_open(&m, argv[1], &err))
		return fprintf(stderr, "%s\n", err.text), 1;
	kws_spotter_config config = KWS_SPOTTER_CONFIG;
	config.on_event = on_event;
	config.ctx = m;
	if (kws_spotter_create(&sp, m, (unsigned)info.samplerate, &config, &err))
		return fprintf(stderr, "%s\n", err.text), 1;
	while ((n = sf_readf_float(f, frames, BLOCK)) > 0) {
		mix(frames, (size_t)n, (size_t)info.channels, mono);
		kws_spotter_process(sp, mono, (size_t)n);
	}
	kws_spotter_flush(sp);
	kws_spotter_destroy(sp);
	kws_model_close(m);
	sf_close(f);
	return 0;
}
