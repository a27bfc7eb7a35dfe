#define _GNU_SOURCE /* memfd_create */
/* Any bytes as a sound file: opened or refused with a reason, read to an end, the same twice, and from
 * a pipe no crash either. */
#include "audio/source.h"
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MOST = 32768 /* fits into a pipe */, MOST_SAMPLES = 1 << 20, BLOCK = 1000 };

/* libsndfile 1.2 forgets a Vorbis header that it has given up in the middle. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:vorbis_info_init";
}

/* Read to the end, or as far as is reasonable. Returns the samples, and how it ended. */
static size_t drain(kws_source *src, enum kws_status *status, uint32_t *sum)
{
	static float mono[BLOCK];
	size_t total = 0, got = 0;
	kws_error err = { "" };
	kws_findings f;
	*sum = 0;
	do {
		*status = kws_source_read(src, mono, BLOCK, &got, &err);
		demand(got <= BLOCK);
		for (size_t i = 0; i < got; i++) {
			uint32_t bits;
			memcpy(&bits, &mono[i], sizeof bits);
			*sum = *sum * 31 + bits;
		}
		total += got;
	} while (*status == KWS_OK && got && total < MOST_SAMPLES);
	demand(*status == KWS_OK || err.text[0]);
	if (!got || *status != KWS_OK) { /* the end stays the end */
		demand(kws_source_ended(src));
		demand(kws_source_read(src, mono, BLOCK, &got, &err) == KWS_OK && got == 0);
	}
	kws_source_findings(src, &f);
	demand(f.seconds >= 0.0);
	return total;
}

static kws_source *from_file(const char *path)
{
	kws_source *src = NULL;
	kws_error err = { "" };
	const enum kws_status status = kws_source_open_file(&src, path, 0, &err);
	demand(status == KWS_OK ? src != NULL : !src && strncmp(err.text, path, strlen(path)) == 0);
	if (src)
		demand(kws_source_rate(src) >= KWS_SOURCE_MIN_HZ && kws_source_channels(src) >= 1);
	return src;
}

static void pipe_it(const uint8_t *data, size_t size)
{
	const kws_source_raw raw = { 16000, 1, KWS_ENC_S16_LE };
	kws_source *src = NULL;
	kws_error err = { "" };
	enum kws_status status;
	uint32_t sum;
	int ends[2];
	demand(pipe(ends) == 0);
	demand(write(ends[1], data, size) == (ssize_t)size);
	close(ends[1]);
	if (kws_source_open_stream(&src, ends[0], "-", &raw, 0, -1, &err) == KWS_OK)
		drain(src, &status, &sum);
	else
		demand(!src && strncmp(err.text, "-: ", 3) == 0);
	kws_source_close(src);
	close(ends[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64];
	size_t n[2] = { 0, 0 };
	uint32_t sum[2] = { 0, 0 };
	enum kws_status status = KWS_ERR_FORMAT;
	fuzz_accepted = false;
	if (size == 0 || size > MOST)
		return 0;
	const int fd = memfd_create("sound", MFD_CLOEXEC);
	demand(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	for (int i = 0; i < 2; i++) {
		kws_source *src = from_file(path);
		if (src)
			n[i] = drain(src, &status, &sum[i]);
		kws_source_close(src);
	}
	demand(n[0] == n[1] && sum[0] == sum[1]);
	/* a sound that was heard whole */
	fuzz_accepted = n[0] > 0 && status == KWS_OK;
	close(fd);
	pipe_it(data, size);
	return 0;
}
