#include "audio/source.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sndfile.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Interleaved samples decoded at a time: 16 frames of the most channels. */
enum { BLOCK = 16 * KWS_SOURCE_MAX_CHANNELS };

struct kws_source {
	char *name;   /* for errors */
	SNDFILE *snd; /* NULL: raw */
	int fd;	      /* raw only */
	enum kws_encoding enc;
	unsigned rate_hz, channels, channel;
	uint64_t frames;      /* as claimed, 0: not known */
	uint64_t position;    /* frames read */
	int exact;	      /* frames is no estimate */
	int done;	      /* ended or failed */
	size_t held;	      /* bytes of a frame that is not complete yet, at the start of bytes */
	unsigned char *bytes; /* (BLOCK * bytes of a sample,), raw only */
	float *samples;	      /* (BLOCK,) */
};

static enum kws_status check(const kws_source *src, int channel, kws_error *err)
{
	if (src->rate_hz < KWS_SOURCE_MIN_HZ || src->rate_hz > KWS_SOURCE_MAX_HZ)
		return kws_fail(err, KWS_ERR_ARG, "%s: rate %u Hz is not in %d..%d", src->name,
				src->rate_hz, KWS_SOURCE_MIN_HZ, KWS_SOURCE_MAX_HZ);
	if (src->channels < 1 || src->channels > KWS_SOURCE_MAX_CHANNELS)
		return kws_fail(err, KWS_ERR_ARG, "%s: %u channels, not in 1..%d", src->name,
				src->channels, KWS_SOURCE_MAX_CHANNELS);
	if (channel < 0 || (unsigned)channel > src->channels)
		return kws_fail(err, KWS_ERR_ARG, "%s: channel %d is not in 1..%u", src->name,
				channel, src->channels);
	return KWS_OK;
}

static kws_source *make(const char *name)
{
	kws_source *src = calloc(1, sizeof *src);
	if (!src)
		return NULL;
	src->fd = -1;
	src->name = malloc(strlen(name) + 1);
	src->samples = calloc(BLOCK, sizeof *src->samples);
	if (!src->name || !src->samples) {
		kws_source_close(src);
		return NULL;
	}
	memcpy(src->name, name, strlen(name) + 1);
	return src;
}

/* By descriptor, because libsndfile says no more than "System error" of a path that cannot be
 * opened. */
static enum kws_status open_sound(kws_source *src, kws_error *err)
{
	struct stat st;
	const int fd = open(src->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) != 0) {
		const enum kws_status s =
			kws_fail(err, KWS_ERR_IO, "%s: %s", src->name, strerror(errno));
		if (fd >= 0)
			close(fd);
		return s;
	}
	if (!S_ISREG(st.st_mode)) {
		close(fd);
		return kws_fail(err, KWS_ERR_IO, "%s: %s", src->name,
				S_ISDIR(st.st_mode) ? strerror(EISDIR) : "not a regular file");
	}
	SF_INFO info = { 0 };
	src->snd = sf_open_fd(fd, SFM_READ, &info, SF_TRUE); /* closes fd, also when it fails */
	if (!src->snd)
		return kws_fail(err, KWS_ERR_FORMAT, "%s: %s", src->name,
				st.st_size ? sf_strerror(NULL) : "the file is empty");
	src->rate_hz = info.samplerate > 0 ? (unsigned)info.samplerate : 0;
	src->channels = info.channels > 0 ? (unsigned)info.channels : 0;
	src->exact = (info.format & SF_FORMAT_TYPEMASK) != SF_FORMAT_MPEG;
	src->frames = info.frames > 0 && info.frames < SF_COUNT_MAX ? (uint64_t)info.frames : 0;
	return KWS_OK;
}

enum kws_status kws_source_open_file(kws_source **out, const char *path, int channel,
				     kws_error *err)
{
	*out = NULL;
	kws_source *src = make(path);
	if (!src)
		return kws_fail(err, KWS_ERR_NOMEM, "%s: out of memory", path);
	enum kws_status s = open_sound(src, err);
	if (s == KWS_OK)
		s = check(src, channel, err);
	if (s != KWS_OK) {
		kws_source_close(src);
		return s;
	}
	src->channel = (unsigned)channel;
	*out = src;
	return KWS_OK;
}

enum kws_status kws_source_open_raw(kws_source **out, int fd, unsigned rate_hz, unsigned channels,
				    enum kws_encoding enc, int channel, kws_error *err)
{
	*out = NULL;
	if ((unsigned)enc >= KWS_N_ENCODINGS)
		return kws_fail(err, KWS_ERR_ARG, "raw audio: encoding %d is not known", (int)enc);
	kws_source *src = make("raw audio");
	if (!src)
		return kws_fail(err, KWS_ERR_NOMEM, "raw audio: out of memory");
	src->fd = fd;
	src->rate_hz = rate_hz;
	src->channels = channels;
	src->enc = enc;
	enum kws_status s = check(src, channel, err);
	if (s != KWS_OK)
		goto fail;
	src->channel = (unsigned)channel;
	src->bytes = malloc(BLOCK * kws_encoding_bytes(enc));
	if (!src->bytes) {
		s = kws_fail(err, KWS_ERR_NOMEM, "raw audio: out of memory");
		goto fail;
	}
	*out = src;
	return KWS_OK;
fail:
	kws_source_close(src);
	return s;
}

void kws_source_close(kws_source *src)
{
	if (!src)
		return;
	if (src->snd)
		sf_close(src->snd);
	free(src->bytes);
	free(src->samples);
	free(src->name);
	free(src);
}

unsigned kws_source_rate(const kws_source *src)
{
	return src->rate_hz;
}

unsigned kws_source_channels(const kws_source *src)
{
	return src->channels;
}

uint64_t kws_source_frames(const kws_source *src)
{
	return src->frames;
}

size_t kws_source_leftover(const kws_source *src)
{
	return src->done ? src->held : 0;
}

/* samples (n, channels) -> mono (n,) */
static void mix(const kws_source *src, size_t n, float *mono)
{
	const size_t channels = src->channels;
	const float *x = src->samples;
	if (src->channel || channels == 1) {
		const size_t c = src->channel ? src->channel - 1 : 0;
		for (size_t i = 0; i < n; i++)
			mono[i] = x[i * channels + c];
		return;
	}
	for (size_t i = 0; i < n; i++) {
		float sum = 0.0f;
		for (size_t c = 0; c < channels; c++)
			sum += x[i * channels + c];
		mono[i] = sum / (float)channels;
	}
}

static enum kws_status fail_here(kws_source *src, enum kws_status s, const char *why,
				 kws_error *err)
{
	src->done = 1;
	return kws_fail(err, s, "%s: at sample %llu: %s", src->name,
			(unsigned long long)src->position, why);
}

static enum kws_status read_sound(kws_source *src, float *mono, size_t n, size_t *got,
				  kws_error *err)
{
	while (*got < n) {
		const size_t most = BLOCK / src->channels, want = n - *got < most ? n - *got : most;
		const sf_count_t k = sf_readf_float(src->snd, src->samples, (sf_count_t)want);
		const size_t came = k > 0 ? (size_t)k : 0;
		mix(src, came, mono + *got);
		*got += came;
		src->position += came;
		if (sf_error(src->snd) != SF_ERR_NO_ERROR)
			return fail_here(src, KWS_ERR_FORMAT, sf_strerror(src->snd), err);
		/* libsndfile leaves out damaged pages of Ogg without a word */
		if (came < want && src->exact && src->position < src->frames)
			return fail_here(src, KWS_ERR_FORMAT,
					 "the end, but the file claims to hold more", err);
		if (came < want) {
			src->done = 1;
			break;
		}
	}
	return KWS_OK;
}

/* One read() that brings something: its count, 0 at the end, -1 with errno. */
static ssize_t read_some(int fd, unsigned char *bytes, size_t n)
{
	for (;;) {
		const ssize_t k = read(fd, bytes, n);
		if (k >= 0 || (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK))
			return k;
		if (errno != EINTR) {
			struct pollfd p = { .fd = fd, .events = POLLIN };
			if (poll(&p, 1, -1) < 0 && errno != EINTR)
				return -1;
		}
	}
}

static enum kws_status read_raw(kws_source *src, float *mono, size_t n, size_t *got, kws_error *err)
{
	const size_t frame = src->channels * kws_encoding_bytes(src->enc);
	const size_t most = BLOCK / src->channels, want = n < most ? n : most;
	while (src->held < frame) {
		const ssize_t k =
			read_some(src->fd, src->bytes + src->held, want * frame - src->held);
		if (k < 0)
			return fail_here(src, KWS_ERR_IO, strerror(errno), err);
		if (k == 0) {
			src->done = 1;
			return KWS_OK;
		}
		src->held += (size_t)k;
	}
	*got = src->held / frame;
	kws_encoding_decode(src->enc, src->bytes, *got * src->channels, src->samples);
	mix(src, *got, mono);
	src->position += *got;
	src->held -= *got * frame;
	memmove(src->bytes, src->bytes + *got * frame, src->held);
	return KWS_OK;
}

enum kws_status kws_source_read(kws_source *src, float *mono, size_t n, size_t *got, kws_error *err)
{
	*got = 0;
	if (src->done || n == 0)
		return KWS_OK;
	return src->snd ? read_sound(src, mono, n, got, err) : read_raw(src, mono, n, got, err);
}
