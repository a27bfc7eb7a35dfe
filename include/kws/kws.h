/* kws/kws.h - libkws: spoken commands in audio, in endless streams and in clips.
 *
 * The whole public interface. Rules that hold everywhere, said once:
 *
 *   - A create or open may fail: it returns a status, writes the reason to a kws_error, and leaves NULL in *out. What runs
 *     on audio cannot fail, allocate, block, print or read a clock. destroy(NULL) and close(NULL) do nothing.
 *   - reset returns an object to its state just after create.
 *   - What comes out does not depend, to the last bit, on how the audio is cut into calls, nor on other streams.
 *   - A model is immutable: any number of threads may share it. Every other object belongs to one thread at a time.
 *   - Audio is mono float, nominal range [-1, 1]; samples that are not finite count as 0. Arrays are row-major, with their
 *     shape in brackets.
 *   - Time is a count of samples at the model's rate (kws_model_rate_hz()) since the stream began.
 *   - A pointer that a getter returns lives as long as its object; one in a callback, until the callback returns.
 *   - The library changes nothing of the process: no signals, locale, environment, threads or files but those named.
 *
 * Minimal use:
 *
 *   static void on_event(void *ctx, const kws_event *ev)
 *   {
 *           kws_model *model = ctx;
 *           printf("%s %.2f\n", kws_model_word(model, ev->word), ev->score);
 *   }
 *   ...
 *   kws_spotter_config config = KWS_SPOTTER_CONFIG;
 *   config.on_event = on_event;
 *   config.ctx = model;
 *   kws_spotter_create(&spotter, model, 48000, &config, &error);
 *   while (read_audio(pcm, &n))
 *           kws_spotter_process(spotter, pcm, n);
 *   kws_spotter_flush(spotter); */
#ifndef KWS_KWS_H
#define KWS_KWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define KWS_API __attribute__((visibility("default")))

#define KWS_VERSION "0.1.0"

/* ---- errors ---------------------------------------------------------------------------------------------------- */

enum kws_status {
	KWS_OK = 0,
	KWS_ERR_ARG = -1,     /* the caller asked for something that cannot be */
	KWS_ERR_NOMEM = -2,   /* out of memory */
	KWS_ERR_IO = -3,      /* the system refused to open, read or write */
	KWS_ERR_FORMAT = -4,  /* the content is not what it claims to be */
	KWS_ERR_VERSION = -5, /* well-formed, but of a version or kind that is not known */
	KWS_ERR_DEVICE = -6   /* an audio device refused or went away */
};

/* What went wrong and where, e.g. "layers.0.v_proj.weight: shape [128, 63], want [128, 64]". Functions that take a
 * kws_error * accept NULL; text is written only on failure. */
typedef struct {
	char text[256];
} kws_error;

/* A short English sentence, e.g. "out of memory". Never NULL. */
KWS_API const char *kws_strerror(enum kws_status status);

/* KWS_VERSION of the library that runs. */
KWS_API const char *kws_version(void);

/* ---- models ---------------------------------------------------------------------------------------------------- */

typedef struct kws_model kws_model;

/* Read, check and pack a model file. The file may be hostile: every size, offset, name, dtype, shape and value is checked
 * before use. KWS_ERR_IO, KWS_ERR_FORMAT, KWS_ERR_VERSION (a newer format, a kind of layer that is not known),
 * KWS_ERR_NOMEM; the error names the file, the tensor or key, and the reason. */
KWS_API enum kws_status kws_model_open(kws_model **out, const char *path, kws_error *err);

/* The same from memory (len bytes), which is not used after the call. */
KWS_API enum kws_status kws_model_parse(kws_model **out, const void *blob, size_t len,
					kws_error *err);

/* After every object made from it. */
KWS_API void kws_model_close(kws_model *m);

KWS_API const char *kws_model_name(const kws_model *m); /* e.g. "commands-12" */
KWS_API const char *kws_model_hash(const kws_model *m); /* SHA-256 of the file, 64 hex digits */
KWS_API unsigned kws_model_rate_hz(const kws_model *m); /* of all sample counts */

/* The classes: "yes", ..., "_unknown_", "_silence_". Those whose names begin and end with _ are no commands and make no
 * events. */
KWS_API size_t kws_model_n_words(const kws_model *m);
KWS_API const char *kws_model_word(const kws_model *m, size_t i); /* i < n_words */
KWS_API bool kws_model_is_command(const kws_model *m, size_t i);
KWS_API int kws_model_word_index(const kws_model *m, const char *word); /* -1: no such word */
KWS_API float kws_model_threshold(const kws_model *m, size_t i);	/* of its events, 0..1 */

/* Can it hear an endless stream? A model with full attention cannot: it takes clips only. */
KWS_API bool kws_model_hears_streams(const kws_model *m);

/* ---- events and frames ----------------------------------------------------------------------------------------- */

/* A command was heard. */
typedef struct {
	uint64_t sample;     /* when it was decided */
	uint64_t start, end; /* of the word; start <= end <= sample */
	unsigned word;	     /* index, kws_model_word() */
	float score;	     /* peak of the smoothed probability, 0..1 */
	float threshold;     /* that it had to reach */
	float level_dbfs;    /* RMS level of the word, dB re full scale */
	float snr_db;	     /* level over the background before it, dB */
} kws_event;

typedef void kws_event_fn(void *ctx, const kws_event *ev);

/* What a program knows of an event beside it. Begin with KWS_EVENT_CONTEXT: nothing; texts that are NULL and numbers that are
 * NaN are not known. */
typedef struct {
	size_t size; /* of this struct: later versions add to its end */
	const char *
		stream; /* tells this stream from all others, for the event's id; NULL: the file's name is used, else there is no id */
	const char *file;
	const char *device; /* that hears it; then all from gap_count on counts, too */
	const char *host;
	uint64_t origin;    /* samples at the model's rate that are counted before this stream; 0 */
	double wall;	    /* seconds since 1970, UTC, of sample 0 of all that is counted */
	double monotonic;   /* the same by a clock that is never set */
	uint64_t gap_count; /* times audio was lost since the event before this one */
	double gap_s;	    /* how much of it in all, seconds */
	const char *gap_reason; /* of the last time */
	const char *clip;	/* the file with its sound */
	uint64_t dropped;	/* events that this reader lost since the one before */
	const char *listener;	/* name of the microphone, when there are several */
	const char *spotter;	/* name of the model's part, when several models hear the stream */
	const char *after;	/* the word after which this one counts */
	const char *after_id;	/* the id of its event */
} kws_event_context;

#define KWS_EVENT_CONTEXT                                                                          \
	{ sizeof(kws_event_context),                                                               \
	  NULL,                                                                                    \
	  NULL,                                                                                    \
	  NULL,                                                                                    \
	  NULL,                                                                                    \
	  0,                                                                                       \
	  __builtin_nan(""),                                                                       \
	  __builtin_nan(""),                                                                       \
	  0,                                                                                       \
	  0.0,                                                                                     \
	  NULL,                                                                                    \
	  NULL,                                                                                    \
	  0,                                                                                       \
	  NULL,                                                                                    \
	  NULL,                                                                                    \
	  NULL,                                                                                    \
	  NULL }

/* Room for any event without a file. The name of one takes six times its length at most. */
enum { KWS_EVENT_JSON = 5120 };

/* The event as a JSON object on one line, without a line feed: what `kws spot --format jsonl` and every sink of kwsd write,
 * key for key and digit for digit; docs/event.schema.json describes it. UTF-8 without control characters, whatever the
 * names hold. context NULL: only what the event and its model say. Returns its length, less than size; 0: it does not fit,
 * and out is "". Allocates nothing; any thread. */
KWS_API size_t kws_event_json(const kws_event *ev, const kws_model *m,
			      const kws_event_context *context, char *out, size_t size);

/* One network frame, for meters, plots and statistics. */
typedef struct {
	uint64_t sample;    /* at its end */
	const float *prob;  /* (n_words,) softmax of the logits */
	const float *logit; /* (n_words,) */
	const float *
		level; /* (stride,) mean square of each hop in it; NULL from a model that hears the whole clip first */
	size_t n_words, stride;
	const float *
		embedding; /* (n_embedding,) what the network's head makes the logits of; NULL as level is */
	size_t n_embedding;
	const float *
		mel; /* (stride, n_mels) natural log of the power in each mel band of each hop, before the network scales it; NULL as level is */
	size_t n_mels;
} kws_frame;

typedef void kws_frame_fn(void *ctx, const kws_frame *f);

/* ---- spotter: a stream in, events out -------------------------------------------------------------------------- */

typedef struct kws_spotter kws_spotter;

/* Begin with KWS_SPOTTER_CONFIG, which asks for all that the model file says. */
typedef struct {
	size_t size;   /* of this struct: later versions add to its end */
	int smooth_ms; /* mean of the probabilities over so long, 0..2000; -1: the model's */
	int refractory_ms; /* after an event the word is silent for so long at least, 0..60000; -1: the model's */
	const float *
		threshold; /* (n_words,) 0..1, above 1: never, NaN: the model's; NULL: all the model's. Copied */
	kws_event_fn *on_event; /* NULL: none */
	kws_frame_fn *on_frame; /* sees every frame before the events that it decides; NULL: none */
	void *ctx;		/* of both */
} kws_spotter_config;

#define KWS_SPOTTER_CONFIG { sizeof(kws_spotter_config), -1, -1, NULL, NULL, NULL, NULL }

/* in_hz: rate of the audio, 8000..192000. config NULL: KWS_SPOTTER_CONFIG. KWS_ERR_ARG names what is out of its range, or
 * the model when it hears clips only. Callbacks MUST NOT call functions of the spotter or its group but
 * kws_spotter_score(). */
KWS_API enum kws_status kws_spotter_create(kws_spotter **out, const kws_model *m, unsigned in_hz,
					   const kws_spotter_config *config, kws_error *err);
KWS_API void kws_spotter_destroy(kws_spotter *sp);
KWS_API void kws_spotter_reset(kws_spotter *sp);

/* Hear pcm (n,). */
KWS_API void kws_spotter_process(kws_spotter *sp, const float *pcm, size_t n);

/* The audio has ended: what is still open is decided. Only reset or destroy may follow. */
KWS_API void kws_spotter_flush(kws_spotter *sp);

/* Other times and thresholds from the next frame on; callbacks and all that was heard stay. KWS_ERR_ARG, and nothing has
 * changed. */
KWS_API enum kws_status kws_spotter_configure(kws_spotter *sp, const kws_spotter_config *config,
					      kws_error *err);

/* (n_words,) the smoothed probabilities that the decision compares with its thresholds; in on_frame, those of that frame. */
KWS_API const float *kws_spotter_score(const kws_spotter *sp);

/* Samples at the model's rate since the start or reset. */
KWS_API uint64_t kws_spotter_heard(const kws_spotter *sp);

/* ---- cascade: several models on one stream --------------------------------------------------------------------- */

/* Each model hears as a spotter of its own does, and their events come in one order however the audio is cut. The words of one
 * may count only for some seconds after a word of another ("jarvis", then "lights off"). Such a model costs nothing in between. */
typedef struct kws_cascade kws_cascade;

KWS_API enum kws_status kws_cascade_create(kws_cascade **out, kws_error *err);
KWS_API void kws_cascade_destroy(kws_cascade *c);

/* One more model, before the first start; it MUST outlive the cascade. name: 1 to 31 of A-Z a-z 0-9 _ -, no two alike; NULL: it
 * has none. config: its times, thresholds and callbacks, as kws_spotter_create() takes it; NULL: no events. KWS_ERR_ARG names what is
 * wrong. */
KWS_API enum kws_status kws_cascade_add(kws_cascade *c, const char *name, const kws_model *m,
					const kws_spotter_config *config, kws_error *err);

/* Words of the model `name' count only after a word of the model `after': when their middle is not before its end, and their start
 * at most within_s, 0..3600, behind it. To tell, `name' hears from a second before that word was decided to within_s + 2.5 s
 * after its end; each further word moves that on. Before the first start. KWS_ERR_ARG: there is no such model, or a circle. */
KWS_API enum kws_status kws_cascade_gate(kws_cascade *c, const char *name, const char *after,
					 double within_s, kws_error *err);

/* A new stream; all that was heard is forgotten. context: what is known of it; copied, but its texts MUST live until the next
 * start. NULL: nothing. Allocates, and may fail, the first time and when in_hz is another; then nothing is heard. */
KWS_API enum kws_status kws_cascade_start(kws_cascade *c, unsigned in_hz,
					  const kws_event_context *context, kws_error *err);

/* Hear pcm (n,). Events are told within 10 ms of the audio in which they are decided. */
KWS_API void kws_cascade_process(kws_cascade *c, const float *pcm, size_t n);

/* The audio has ended: what is still open is decided. Only start or destroy may follow. */
KWS_API void kws_cascade_flush(kws_cascade *c);

/* In on_event, for kws_event_json(): what is known of this event, with spotter, after and after_id. */
KWS_API const kws_event_context *kws_cascade_context(const kws_cascade *c);

/* ---- groups: many streams of one model ------------------------------------------------------------------------- */

/* Spotters of a group share what they compute in, so that each is little more than its past, and those that are fed
 * together go through the matrix products together. A group and its spotters belong to one thread at a time. Spotters come
 * and go as they like; each hears as if it were alone. */
typedef struct kws_group kws_group;

KWS_API enum kws_status kws_group_create(kws_group **out, const kws_model *m, kws_error *err);
KWS_API void kws_group_destroy(kws_group *g); /* after its spotters */
KWS_API enum kws_status kws_spotter_create_in(kws_spotter **out, kws_group *g, unsigned in_hz,
					      const kws_spotter_config *config, kws_error *err);

typedef struct {
	kws_spotter *spotter;
	const float *pcm; /* (n,) */
	size_t n;
} kws_spotter_input;

/* Feed n_in spotters of one group, each at most once. Faster than one after the other when each brings little, as live
 * streams do. */
KWS_API void kws_spotter_process_all(const kws_spotter_input *in, size_t n_in);

/* ---- classifier: a clip in, probabilities out ------------------------------------------------------------------ */

typedef struct kws_classifier kws_classifier;

/* The clip is heard from a fresh state. Its probabilities are those of the network frame at which a command is most
 * probable, among the frames whose pooling window lies wholly inside the clip; a clip shorter than the window is followed
 * by silence up to it. at_end: those of the clip's last frame, with all that came before as its past: what a stream would
 * have said just then. A model with full attention hears the beginning of a clip, as long as it can. */
KWS_API enum kws_status kws_classifier_create(kws_classifier **out, const kws_model *m,
					      unsigned in_hz, bool at_end, kws_error *err);
KWS_API void kws_classifier_destroy(kws_classifier *c);

/* More of the clip, pcm (n,). */
KWS_API void kws_classifier_process(kws_classifier *c, const float *pcm, size_t n);

/* The clip has ended: prob (n_words,), which sums to 1. What follows is the next clip. */
KWS_API void kws_classifier_finish(kws_classifier *c, float *prob);

#ifdef __cplusplus
}
#endif

#endif
