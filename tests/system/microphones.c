/* microphones - several devices open in one process, as its standard input says, line by line:
 *
 *   open NAME FILE   open the device, and write what it hears to FILE, 16 bit at its own rate, mono
 *   close NAME       close it
 *
 * Answers each with a line on standard output: "open NAME RATE", "closed NAME", or why not. Ends at the end
 * of its input. */
#include "audio/device.h"

#include <math.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST = 4, BLOCK = 160, LINE = 512 };

typedef struct {
	char name[64];
	kws_device *device; /* NULL: free */
	FILE *to;
} microphone;

static microphone all[MOST];

static void drain(microphone *m)
{
	float pcm[BLOCK];
	int16_t s[BLOCK];

	if (m->device)
		kws_device_fetch(m->device);
	while (m->device && kws_device_read(m->device, pcm, BLOCK) == BLOCK) {
		for (int i = 0; i < BLOCK; i++)
			s[i] = (int16_t)lrintf(32768.0f * pcm[i]);
		fwrite(s, sizeof *s, BLOCK, m->to);
	}
}

static microphone *find(const char *name)
{
	for (int i = 0; i < MOST; i++)
		if (!strcmp(all[i].name, name))
			return &all[i];
	return NULL;
}

static void open_one(const char *name, const char *path)
{
	microphone *m = find("");
	kws_device_config c = { .name = name, .latency_ms = 40 };
	kws_error err = { "" };

	if (!m || !(m->to = fopen(path, "wb")))
		exit(2);
	if (kws_device_open(&m->device, &c, &err) != KWS_OK) {
		fclose(m->to);
		printf("%s\n", err.text);
		return;
	}
	snprintf(m->name, sizeof m->name, "%s", name);
	printf("open %s %u\n", name, kws_device_rate(m->device));
}

static void close_one(const char *name)
{
	microphone *m = find(name);

	if (!m)
		exit(2);
	drain(m);
	kws_device_close(m->device);
	fclose(m->to);
	memset(m, 0, sizeof *m);
	printf("closed %s\n", name);
}

int main(void)
{
	char line[LINE], verb[8], name[64], path[256];

	kws_device_prepare();
	setvbuf(stdin, NULL, _IONBF, 0);
	for (;;) {
		struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };

		if (poll(&p, 1, 5) == 1) {
			if (!fgets(line, sizeof line, stdin))
				return 0;
			const int n = sscanf(line, "%7s %63s %255s", verb, name, path);
			if (n == 3)
				open_one(name, path);
			else if (n == 2)
				close_one(name);
			fflush(stdout);
		}
		for (int i = 0; i < MOST; i++)
			drain(&all[i]);
	}
}
