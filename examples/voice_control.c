/* voice_control WAKE COMMANDS FILE.raw: words of the model COMMANDS that are said within five seconds after a word of the model
 * WAKE, as lines of JSON. The recording is 16 kHz, 32-bit floats.
 *
 *   cc voice_control.c $(pkg-config --cflags --libs kws) -o voice_control */
#include <kws/kws.h>
#include <stdio.h>

enum { RATE_HZ = 16000, BLOCK = 1600 };

typedef struct {
	kws_model *model;
	kws_cascade *cascade;
} listener;

static void on_event(void *ctx, const kws_event *ev)
{
	const listener *l = ctx;
	char line[2 * KWS_EVENT_JSON];
	kws_event_json(ev, l->model, kws_cascade_context(l->cascade), line, sizeof line);
	puts(line);
}

static enum kws_status add(listener *l, const char *name, const char *path, kws_cascade *c,
			   kws_error *err)
{
	kws_spotter_config config = KWS_SPOTTER_CONFIG;
	config.on_event = on_event;
	config.ctx = l;
	l->cascade = c;
	const enum kws_status status = kws_model_open(&l->model, path, err);
	return status ? status : kws_cascade_add(c, name, l->model, &config, err);
}

int main(int argc, char **argv)
{
	static float pcm[BLOCK];
	listener wake = { NULL, NULL }, commands = { NULL, NULL };
	kws_cascade *c;
	kws_error err = { "" };
	size_t n;
	if (argc != 4)
		return fprintf(stderr, "usage: voice_control WAKE COMMANDS FILE.raw\n"), 2;
	FILE *f = fopen(argv[3], "rb");
	if (!f)
		return perror(argv[3]), 1;
	kws_event_context known = KWS_EVENT_CONTEXT;
	known.file = argv[3];
	if (kws_cascade_create(&c, &err) || add(&wake, "wake", argv[1], c, &err)
	    || add(&commands, "commands", argv[2], c, &err)
	    || kws_cascade_gate(c, "commands", "wake", 5.0, &err)
	    || kws_cascade_start(c, RATE_HZ, &known, &err))
		return fprintf(stderr, "%s\n", err.text), 1;
	while ((n = fread(pcm, sizeof *pcm, BLOCK, f)) > 0)
		kws_cascade_process(c, pcm, n);
	kws_cascade_flush(c);
	kws_cascade_destroy(c);
	kws_model_close(wake.model);
	kws_model_close(commands.model);
	fclose(f);
	return 0;
}
