#include "bench/peer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double cpu(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int kws_peer_missing(const char *why)
{
	printf("missing\t%s\n", why);
	return 0;
}

static const kws_peer_row *find(const kws_peer_row *rows, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	return NULL;
}

int kws_peer_serve(const char *version, const kws_peer_row *rows, size_t n, void *ctx,
		   double seconds)
{
	char line[64];
	printf("version\t%s\n", version);
	for (size_t i = 0; i < n; i++)
		printf("row\t%s\t%s\n", rows[i].name, rows[i].title);
	puts("ready");
	while (!fflush(stdout) && fgets(line, sizeof line, stdin)) {
		line[strcspn(line, "\n")] = '\0';
		const kws_peer_row *row = find(rows, n, line);
		if (!row)
			return 2;
		const double t0 = cpu();
		row->run(ctx);
		printf("%.9f\n", (cpu() - t0) / seconds);
	}
	return 0;
}

short *kws_peer_audio(const char *folder, size_t *n)
{
	enum { MOST = 600 * KWS_PEER_RATE_HZ };
	char path[4096];
	snprintf(path, sizeof path, "%s/audio.raw", folder);
	FILE *f = fopen(path, "rb");
	short *pcm = malloc(MOST * sizeof *pcm);
	*n = 0;
	if (f && pcm)
		*n = fread(pcm, sizeof *pcm, MOST, f) / KWS_PEER_FRAME * KWS_PEER_FRAME;
	if (f)
		fclose(f);
	if (*n)
		return pcm;
	fprintf(stderr, "%s: %s\n", path, f ? "no audio" : strerror(errno));
	free(pcm);
	return NULL;
}
