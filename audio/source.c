#include "audio/source_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

static kws_source *make(const char *name, int fd)
{
	kws_source *src = calloc(1, sizeof *src);
	if (!src)
		return NULL;
	src->fd = -1;
	src->name = strdup(name);
	src->samples = calloc(KWS_SOURCE_BLOCK, sizeof *src->samples);
	src->tape = kws_tape_open(fd);
	if (!src->name || !src->samples || !src->tape) {
		kws_source_close(src);
		return NULL;
	}
	src->live = kws_tape_size(src->tape) == KWS_TAPE_ENDLESS;
	return src;
}

void kws_source_close(kws_source *src)
{
	if (!src)
		return;
	if (src->decoder)
		src->decoder->close(src->decoder);
	kws_tape_close(src->tape);
	kws_judge_destroy(src->judge);
	if (src->fd >= 0)
		close(src->fd);
	free(src->samples);
	free(src->name);
	free(src);
}

/* ---- open ---- */

/* Set up everything after the tape. Owns src, even on failure. */
static enum kws_status open_source(kws_source **out, kws_source *src, const kws_source_raw *raw,
				   int channel, kws_error *err)
{
	unsigned char *first;
	/* a failed read is reported by the next read */
	const bool empty = kws_tape_peek(src->tape, &first, 1) == 0 && !kws_tape_error(src->tape);
	enum kws_status status = KWS_ERR_FORMAT;
	if (empty)
		kws_fail(err, status, "%s: it is empty", src->name);
	else
		status = kws_source_open_link(src, raw, err);
	if (status == KWS_OK) {
		src->rate_hz = src->decoder->rate_hz;
		src->channels = src->decoder->channels;
		src->frames = src->decoder->claim;
		src->channel = (unsigned)channel;
		status = check(src, channel, err);
	}
	if (status == KWS_OK) {
		src->judge = kws_judge_create(src->rate_hz, src->channels, src->channel);
		if (!src->judge)
			status = kws_fail(err, KWS_ERR_NOMEM, "%s: out of memory", src->name);
	}
	if (status != KWS_OK) {
		kws_source_close(src);
		return status;
	}
	*out = src;
	return KWS_OK;
}

enum kws_status kws_source_open_file(kws_source **out, const char *path, int channel,
				     kws_error *err)
{
	struct stat st;
	*out = NULL;
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return kws_fail(err, KWS_ERR_IO, "%s: %s", path, strerror(errno));
	const char *why = fstat(fd, &st) != 0	 ? strerror(errno)
			  : S_ISDIR(st.st_mode)	 ? strerror(EISDIR)
			  : !S_ISREG(st.st_mode) ? "not a regular file"
						 : NULL;
	if (why) {
		close(fd);
		return kws_fail(err, KWS_ERR_IO, "%s: %s", path, why);
	}
	kws_source *src = make(path, fd);
	if (!src) {
		close(fd);
		return kws_fail(err, KWS_ERR_NOMEM, "%s: out of memory", path);
	}
	src->fd = fd;
	return open_source(out, src, NULL, channel, err);
}

/* Create a source on fd, if raw is valid. NULL: *status and err say why not. */
static kws_source *make_stream(int fd, const char *name, const kws_source_raw *raw, int channel,
			       enum kws_status *status, kws_error *err)
{
	kws_source *src = NULL;
	*status = KWS_OK;
	if ((unsigned)raw->enc >= KWS_N_ENCODINGS)
		*status = kws_fail(err, KWS_ERR_ARG, "%s: encoding %d is not known", name,
				   (int)raw->enc);
	else
		src = make(name, fd);
	if (*status == KWS_OK && !src)
		*status = kws_fail(err, KWS_ERR_NOMEM, "%s: out of memory", name);
	if (!src)
		return NULL;
	src->rate_hz = raw->rate_hz;
	src->channels = raw->channels;
	*status = check(src, channel, err);
	if (*status == KWS_OK)
		return src;
	kws_source_close(src);
	return NULL;
}

enum kws_status kws_source_open_stream(kws_source **out, int fd, const char *name,
				       const kws_source_raw *raw, int channel, int quit,
				       kws_error *err)
{
	enum kws_status status;
	/* a header may say otherwise: the channel is then checked again */
	kws_source *src = make_stream(fd, name, raw, 0, &status, err);
	*out = NULL;
	if (!src)
		return status;
	kws_tape_quit_on(src->tape, quit);
	return open_source(out, src, raw, channel, err);
}

enum kws_status kws_source_open_path(kws_source **out, const char *path, const kws_source_raw *raw,
				     int channel, kws_error *err)
{
	struct stat st;
	*out = NULL;
	if (stat(path, &st) != 0 || S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))
		return kws_source_open_file(out, path, channel, err);
	/* waits for a writer if it is a named pipe */
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return kws_fail(err, KWS_ERR_IO, "%s: %s", path, strerror(errno));
	const enum kws_status status = kws_source_open_stream(out, fd, path, raw, channel, -1, err);
	if (*out)
		(*out)->fd = fd;
	else
		close(fd);
	return status;
}

enum kws_status kws_source_open_raw(kws_source **out, int fd, unsigned rate_hz, unsigned channels,
				    enum kws_encoding enc, int channel, kws_error *err)
{
	const kws_source_raw raw = { rate_hz, channels, enc };
	enum kws_status status;
	kws_source *src = make_stream(fd, "raw audio", &raw, channel, &status, err);
	*out = NULL;
	if (!src)
		return status;
	src->format = "raw PCM";
	src->link = 1;
	src->channel = (unsigned)channel;
	src->judge = kws_judge_create(rate_hz, channels, (unsigned)channel);
	if (!src->judge)
		status = kws_fail(err, KWS_ERR_NOMEM, "raw audio: out of memory");
	else
		status = kws_decoder_pcm(&src->decoder, src->tape, NULL, rate_hz, channels, enc,
					 err);
	if (status == KWS_OK)
		*out = src;
	else
		kws_source_close(src);
	return status;
}

/* ---- properties ---- */

unsigned kws_source_rate(const kws_source *src)
{
	return src->rate_hz;
}

unsigned kws_source_channels(const kws_source *src)
{
	return src->channels;
}

const char *kws_source_format(const kws_source *src)
{
	return src->format;
}

uint64_t kws_source_frames(const kws_source *src)
{
	return src->frames;
}

size_t kws_source_leftover(const kws_source *src)
{
	return src->done ? src->leftover : 0;
}

const char *kws_source_note(const kws_source *src)
{
	return src->note.text;
}

void kws_source_findings(const kws_source *src, kws_findings *out)
{
	kws_judge_find(src->judge, out);
}

bool kws_source_is_pipe(const kws_source *src)
{
	return src->live;
}

bool kws_source_ready(const kws_source *src)
{
	return src->done || kws_tape_ready(src->tape);
}

bool kws_source_ended(const kws_source *src)
{
	return src->done;
}

/* ---- read ---- */

/* x (n, channels) -> mono (n,) */
static void mix(const kws_source *src, const float *x, size_t channels, size_t n, float *mono)
{
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

static enum kws_status finish(kws_source *src, kws_error *err)
{
	const int error = kws_tape_error(src->tape);
	src->done = true;
	if (src->decoder)
		kws_source_close_link(src);
	if (error)
		return kws_fail(err, KWS_ERR_IO, "%s: at sample %llu: %s", src->name,
				(unsigned long long)src->position, strerror(error));
	if (*src->fault.text)
		return kws_fail(err, KWS_ERR_FORMAT, "%s: at sample %llu: %s", src->name,
				(unsigned long long)src->fault_at, src->fault.text);
	return KWS_OK;
}

enum kws_status kws_source_read(kws_source *src, float *mono, size_t n, size_t *got, kws_error *err)
{
	*got = 0;
	while (!src->done && *got < n) {
		const size_t channels = src->decoder->channels, most = KWS_SOURCE_BLOCK / channels;
		const size_t want = n - *got < most ? n - *got : most;
		const size_t came = src->decoder->read(src->decoder, src->samples, want);
		mix(src, src->samples, channels, came, mono + *got);
		if (channels == src->channels)
			kws_judge_add(src->judge, src->samples, mono + *got, came);
		*got += came;
		src->position += came;
		if (came == 0 && !kws_source_next_link(src))
			return finish(src, err);
		if (came && src->live)
			break;
	}
	return KWS_OK;
}
