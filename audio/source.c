#include "audio/source.h"

#include "audio/decoder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* Interleaved samples decoded at a time: 16 frames of the most channels. */
enum { BLOCK = 16 * KWS_SOURCE_MAX_CHANNELS };

struct kws_source {
	char *name; /* for errors */
	int fd;	    /* -1: not ours to close */
	kws_tape *tape;
	kws_decoder *decoder; /* of the link that is being heard */
	kws_header header;    /* of that link; kind KWS_KIND_NONE: it has none of these */
	kws_judge *judge;
	const char *format;
	unsigned rate_hz, channels, channel;
	unsigned link;	   /* how many streams there were, one behind the other */
	uint64_t frames;   /* as claimed, 0: not known */
	uint64_t position; /* frames read */
	bool live;	   /* a pipe: what there is comes at once */
	bool done;	   /* ended or failed */
	size_t leftover;
	uint64_t fault_at;
	kws_error fault, note; /* the first of each; "": none */
	float *samples;	       /* (BLOCK,) */
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

static kws_source *make(const char *name, int fd)
{
	kws_source *src = calloc(1, sizeof *src);
	if (!src)
		return NULL;
	src->fd = -1;
	src->name = strdup(name);
	src->samples = calloc(BLOCK, sizeof *src->samples);
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

/* ---- links: one stream, of perhaps several that stand one behind the other ---- */

static bool ends_in(const char *name, const char *suffix)
{
	const size_t n = strlen(name), k = strlen(suffix);
	return n >= k && strcasecmp(name + n - k, suffix) == 0;
}

/* Bytes that say nothing of themselves. raw NULL: they MUST be a file that libsndfile knows, or MP3
 * behind bytes that are none. */
static enum kws_status open_unnamed(kws_source *src, const kws_source_raw *raw, kws_error *err)
{
	const uint64_t start = kws_tape_at(src->tape);
	if (!src->live && kws_header_mpeg_near(src->tape)) {
		src->format = "MP3";
		return kws_decoder_mpeg(&src->decoder, src->tape, err);
	}
	if (raw)
		return kws_decoder_pcm(&src->decoder, src->tape, NULL, raw->rate_hz, raw->channels,
				       raw->enc, err);
	src->format = "";
	enum kws_status status = kws_decoder_sndfile(&src->decoder, src->tape, NULL, err);
	if (status == KWS_ERR_FORMAT && ends_in(src->name, ".mp3")
	    && kws_tape_seek(src->tape, start))
		status = kws_decoder_mpeg(&src->decoder, src->tape, err);
	return status;
}

static enum kws_status refuse(const kws_source *src, const char *what, kws_error *err)
{
	return kws_fail(
		err, KWS_ERR_FORMAT,
		src->live ? "%scannot be heard from a pipe; put `ffmpeg -i - -f wav -' "
			    "before it"
			  : "%scannot be read; `ffmpeg -i FILE out.flac' makes a file that can",
		what);
}

/* A file whose header we read ourselves. */
static enum kws_status open_header(kws_source *src, kws_error *err)
{
	kws_tape *t = src->tape;
	kws_header *h = &src->header;
	const uint64_t start = kws_tape_at(t);
	enum kws_status status = kws_header_read(h, t, err);
	if (status == KWS_OK && h->code == KWS_CODE_PCM && h->channels <= KWS_SOURCE_MAX_CHANNELS)
		return kws_decoder_pcm(&src->decoder, t, h, h->rate_hz, h->channels, h->enc, err);
	if (status == KWS_OK && h->code == KWS_CODE_MPEG) {
		if (!src->live)
			kws_tape_end_at(t, kws_header_end(h, t));
		return kws_decoder_mpeg(&src->decoder, t, err);
	}
	char what[32] = "its coding ";
	snprintf(what + strlen(what), sizeof what - strlen(what), "%s%s", h->coding,
		 *h->coding ? " " : "");
	if (src->live)
		return status == KWS_OK ? refuse(src, what, err) : status;
	if (!kws_tape_seek(t, start))
		return kws_fail(err, KWS_ERR_IO, "cannot go back to its header");
	const bool other = status == KWS_OK && h->channels > 0 && h->code == KWS_CODE_OTHER;
	status = kws_decoder_sndfile(&src->decoder, t, status == KWS_OK ? h : NULL, err);
	return status == KWS_ERR_FORMAT && other ? refuse(src, what, err) : status;
}

static enum kws_status open_by_kind(kws_source *src, enum kws_kind kind, const kws_source_raw *raw,
				    kws_error *err)
{
	switch (kind) {
	case KWS_KIND_NONE: return open_unnamed(src, raw, err);
	case KWS_KIND_FLAC: return kws_decoder_flac(&src->decoder, src->tape, err);
	case KWS_KIND_OGG: return kws_decoder_ogg(&src->decoder, src->tape, err);
	case KWS_KIND_MPEG: return kws_decoder_mpeg(&src->decoder, src->tape, err);
	case KWS_KIND_OTHER:
		if (!src->live
		    && kws_decoder_sndfile(&src->decoder, src->tape, NULL, err) == KWS_OK)
			return KWS_OK;
		return refuse(src, "", err);
	case KWS_KIND_NO_SOUND: return kws_fail(err, KWS_ERR_FORMAT, "that is no sound");
	default: return open_header(src, err);
	}
}

/* The stream that begins at the tape's place. */
static enum kws_status open_link(kws_source *src, const kws_source_raw *raw, kws_error *err)
{
	kws_error why = { "" };
	kws_tape_end_at(src->tape, KWS_TAPE_ENDLESS);
	const enum kws_kind kind = kws_header_kind(src->tape, &src->format);
	src->header = (kws_header){ .kind = KWS_KIND_NONE };
	const enum kws_status status = open_by_kind(src, kind, raw, &why);
	if (status != KWS_OK)
		return kws_fail(err, status, "%s: %s%s%s", src->name,
				kind == KWS_KIND_NONE ? "" : src->format,
				kind == KWS_KIND_NONE ? "" : ": ", why.text);
	src->link++;
	return KWS_OK;
}

/* Keep what this link has to tell. */
static void close_link(kws_source *src)
{
	kws_decoder *d = src->decoder;
	const uint64_t first = src->position - d->position;
	if (*d->fault.text && !*src->fault.text) {
		src->fault = d->fault;
		src->fault_at = first + d->fault_at;
	}
	if (!*src->note.text)
		src->note = d->note;
	src->leftover = d->leftover;
	d->close(d);
	src->decoder = NULL;
}

static void fault_here(kws_source *src, const char *what, const char *why)
{
	if (*src->fault.text)
		return;
	src->fault_at = src->position;
	kws_fail(&src->fault, KWS_OK, "%s%s", what, why);
}

/* Does another stream begin behind the link that was just heard? The tape then stands there. */
static bool find_link(kws_source *src, const kws_header *h)
{
	const char *name;
	bool more;
	kws_tape *t = src->tape;
	const uint64_t end = kws_tape_end(t);
	kws_tape_end_at(t, KWS_TAPE_ENDLESS);
	if (h->kind == KWS_KIND_NONE)
		return src->format[0] && strcmp(src->format, "raw PCM") != 0
		       && kws_header_kind(t, &name) != KWS_KIND_NONE;
	/* libsndfile leaves the tape anywhere */
	if (h->code == KWS_CODE_OTHER && !kws_tape_seek(t, end))
		return false;
	const bool next = kws_header_next(h, t, &more);
	if (more)
		fault_here(src, "what follows is not heard: it is a second chunk of sound", "");
	return next;
}

/* To the next link, if there is one that can be heard. false: the end. */
static bool next_link(kws_source *src)
{
	kws_error err = { "" };
	const kws_header h = src->header;
	close_link(src);
	if (!find_link(src, &h))
		return false;
	if (open_link(src, NULL, &err) != KWS_OK) {
		fault_here(src, "what follows is not heard: ", err.text + strlen(src->name) + 2);
		return false;
	}
	if (src->decoder->rate_hz != src->rate_hz) {
		kws_fail(&err, KWS_OK, "%u Hz instead of %u", src->decoder->rate_hz, src->rate_hz);
		fault_here(src, "what follows is not heard: it has ", err.text);
		return false;
	}
	if (src->decoder->channels < 1 || src->decoder->channels > KWS_SOURCE_MAX_CHANNELS
	    || src->channel > src->decoder->channels) {
		fault_here(src, "what follows is not heard: it lacks the channel", "");
		return false;
	}
	return true;
}

/* ---- open ---- */

/* Everything behind the tape. Takes src, also when it fails. */
static enum kws_status open_source(kws_source **out, kws_source *src, const kws_source_raw *raw,
				   int channel, kws_error *err)
{
	enum kws_status status = open_link(src, raw, err);
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
	if (st.st_size == 0) {
		close(fd);
		return kws_fail(err, KWS_ERR_FORMAT, "%s: the file is empty", path);
	}
	kws_source *src = make(path, fd);
	if (!src) {
		close(fd);
		return kws_fail(err, KWS_ERR_NOMEM, "%s: out of memory", path);
	}
	src->fd = fd;
	return open_source(out, src, NULL, channel, err);
}

/* A source on fd, when raw is good for one. NULL: *status and err say why not. */
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
	/* what a header says may differ: then the channel is checked once more */
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
	/* waits for a writer, if it is a named pipe */
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

/* ---- what it is ---- */

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
		close_link(src);
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
		const size_t channels = src->decoder->channels, most = BLOCK / channels;
		const size_t want = n - *got < most ? n - *got : most;
		const size_t came = src->decoder->read(src->decoder, src->samples, want);
		mix(src, src->samples, channels, came, mono + *got);
		if (channels == src->channels)
			kws_judge_add(src->judge, src->samples, mono + *got, came);
		*got += came;
		src->position += came;
		if (came == 0 && !next_link(src))
			return finish(src, err);
		if (came && src->live)
			break;
	}
	return KWS_OK;
}
