/* Any bytes through a pipe as PCM: the right number of samples, in range, and every byte accounted
 * for.
 *
 * The first eight bytes choose: encoding, channels, channel, rate (3 bytes), samples a read, bytes
 * a write. */
#include "audio/source.h"
#include "tests/fuzz/fuzz.h"

#include <unistd.h>

enum { HEAD = 8, MOST = 32768 /* fits into a pipe */ };

static int is_float(enum kws_encoding enc)
{
	return enc >= KWS_ENC_F32_LE && enc <= KWS_ENC_F64_BE;
}

/* Write all in pieces, and read what each brings; returns the samples read. */
static size_t pump(kws_source *src, const uint8_t *data, size_t size, int fd, size_t piece,
		   size_t n, int check_range)
{
	static float mono[256];
	size_t total = 0, got = 0, at = 0;
	while (at < size) {
		const size_t k = piece < size - at ? piece : size - at;
		demand(write(fd, data + at, k) == (ssize_t)k);
		at += k;
	}
	demand(close(fd) == 0);
	do {
		kws_error err;
		demand(kws_source_read(src, mono, n, &got, &err) == KWS_OK);
		demand(got <= n);
		for (size_t i = 0; i < got && check_range; i++)
			demand(mono[i] >= -1.0f && mono[i] <= 1.0f);
		total += got;
	} while (got);
	return total;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_accepted = false;
	if (size < HEAD || size > MOST)
		return 0;
	const enum kws_encoding enc = (enum kws_encoding)(data[0] % KWS_N_ENCODINGS);
	const unsigned channels = data[1],
		       rate = data[3] | (unsigned)data[4] << 8 | (unsigned)data[5] << 16;
	const int channel = (signed char)data[2];
	int ends[2];
	demand(pipe(ends) == 0);
	kws_source *src = NULL;
	kws_error err = { "" };
	const enum kws_status s =
		kws_source_open_raw(&src, ends[0], rate, channels, enc, channel, &err);
	const int valid = rate >= KWS_SOURCE_MIN_HZ && rate <= KWS_SOURCE_MAX_HZ && channels >= 1
			  && channel >= 0 && channel <= (int)channels;
	demand(valid ? s == KWS_OK && src : s == KWS_ERR_ARG && !src && err.text[0]);
	fuzz_accepted = src != NULL;
	if (src) {
		const size_t frame = channels * kws_encoding_bytes(enc), payload = size - HEAD;
		const size_t total = pump(src, data + HEAD, payload, ends[1], 1 + data[7],
					  1 + data[6], !is_float(enc));
		demand(total == payload / frame);
		demand(kws_source_leftover(src) == payload % frame);
		demand(kws_source_rate(src) == rate && kws_source_channels(src) == channels);
	} else {
		close(ends[1]);
	}
	kws_source_close(src);
	close(ends[0]);
	return 0;
}
