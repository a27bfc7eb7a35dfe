/* microphone MODEL [SECONDS]: the words that the default microphone hears.
 *
 *   cc microphone.c $(pkg-config --cflags --libs kws portaudio-2.0) -o microphone */
#include <kws/kws.h>
#include <portaudio.h>
#include <stdio.h>
#include <stdlib.h>

static void on_event(void *ctx, const kws_event *ev)
{
	printf("%s %.2f\n", kws_model_word(ctx, ev->word), (double)ev->score);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	enum { HZ = 16000, HOP = 160 }; /* 10 ms */
	float pcm[HOP];
	kws_error err = { "the sound system refuses" };
	kws_model *m;
	kws_spotter *sp;
	PaStream *mic;
	if (argc < 2)
		return fprintf(stderr, "usage: microphone MODEL [SECONDS]\n"), 2;
	long hops = argc > 2 ? 100 * atol(argv[2]) : -1;
	if (kws_model_open(&m, argv[1], &err))
		return fprintf(stderr, "%s\n", err.text), 1;
	kws_spotter_config config = KWS_SPOTTER_CONFIG;
	config.on_event = on_event;
	config.ctx = m;
	if (kws_spotter_create(&sp, m, HZ, &config, &err))
		return fprintf(stderr, "%s\n", err.text), 1;
	if (Pa_Initialize() || Pa_OpenDefaultStream(&mic, 1, 0, paFloat32, HZ, HOP, NULL, NULL)
	    || Pa_StartStream(mic))
		return fprintf(stderr, "%s\n", err.text), 1;
	while (hops-- != 0 && Pa_ReadStream(mic, pcm, HOP) == paNoError)
		kws_spotter_process(sp, pcm, HOP);
	Pa_Terminate();
	kws_spotter_destroy(sp);
	kws_model_close(m);
	return 0;
}
