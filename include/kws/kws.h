/* kws/kws.h - libkws: spots spoken commands in endless audio streams and in clips.
 *
 * This is the whole public interface. These rules hold everywhere:
 *
 *   - Only create and open functions can fail, and the few others that return a status. On failure
 *     they return a status, write the reason to a kws_error, and set *out to NULL. Functions that
 *     process audio never fail, allocate, block, print or read a clock. destroy(NULL) and
 *     close(NULL) do nothing.
 *   - reset returns an object to its state just after create.
 *   - The output is the same, to the last bit, however the audio is cut into calls, and whatever
 *     other streams do.
 *   - A model is immutable: any number of threads may share it. Every other object belongs to one
 *     thread at a time.
 *   - Audio is mono float, nominal range [-1, 1]; samples that are not finite count as 0. Arrays
 *     are row-major, with their shape in brackets.
 *   - Time is a count of samples at the model's rate (kws_model_rate_hz()) since the stream began.
 *   - A pointer from a getter lives as long as its object. A pointer passed to a callback lives
 *     until the callback returns.
 *   - The library changes nothing in the process: no signals, locale, environment or threads. It
 *     opens only the files that the caller names.
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

#define KWS_VERSION "0.2.0"

/* ---- errors ---------------------------------------------------------------------------------- */

enum kws_status {
	KWS_OK = 0,
	KWS_ERR_ARG = -1,     /* an argument is invalid */
	KWS_ERR_NOMEM = -2,   /* out of memory */
	KWS_ERR_IO = -3,      /* the system could not open, read or write a file */
	KWS_ERR_FORMAT = -4,  /* the content is damaged or not in the right format */
	KWS_ERR_VERSION = -5, /* well-formed, but the version or kind is unknown */
	KWS_ERR_DEVICE = -6   /* an audio device failed or was removed */
};

/* What went wrong and where, e.g. "layers.0.v_proj.weight: shape [128, 63], want [128, 64]".
 * Functions that take a kws_error * accept NULL, and write text only on failure. */
typedef struct {
	char text[256];
} kws_error;

/* A short English sentence, e.g. "out of memory". Never NULL. */
KWS_API const char *kws_strerror(enum kws_status status);

/* KWS_VERSION of the library in use at run time. */
KWS_API const char *kws_version(void);

/* ---- models ---------------------------------------------------------------------------------- */

typedef struct kws_model kws_model;

/* Read, check and pack a model file. The file may be hostile: every size, offset, name, dtype,
 * shape and value is checked before use. Fails with KWS_ERR_IO, KWS_ERR_FORMAT, KWS_ERR_VERSION (a
 * newer format or an unknown kind of layer) or KWS_ERR_NOMEM. The error names the file, the tensor
 * or key, and the reason. */
KWS_API enum kws_status kws_model_open(kws_model **out, const char *path, kws_error *err);

/* The same from memory (len bytes). The memory is not used after the call. */
KWS_API enum kws_status kws_model_parse(kws_model **out, const void *blob, size_t len,
					kws_error *err);

/* Close the model last, after every object created from it. */
KWS_API void kws_model_close(kws_model *m);

KWS_API const char *kws_model_name(const kws_model *m); /* e.g. "commands-12" */
KWS_API const char *kws_model_hash(const kws_model *m); /* SHA-256 of the file, 64 hex digits */
KWS_API unsigned kws_model_rate_hz(const kws_model *m); /* unit of all sample counts */

/* The classes: "yes", ..., "_unknown_", "_silence_". A class whose name begins and ends with _ is
 * not a command and makes no events. */
KWS_API size_t kws_model_n_words(const kws_model *m);
KWS_API const char *kws_model_word(const kws_model *m, size_t i); /* i < n_words */
KWS_API bool kws_model_is_command(const kws_model *m, size_t i);
KWS_API int kws_model_word_index(const kws_model *m, const char *word); /* -1: no such word */
KWS_API float kws_model_threshold(const kws_model *m, size_t i);	/* of its events, 0..1 */

/* Whether the model can process an endless stream. A model with full attention cannot: it takes
 * only clips. */
KWS_API bool kws_model_hears_streams(const kws_model *m);

/* ---- events and frames ----------------------------------------------------------------------- */

/* A command was heard. */
typedef struct {
	uint64_t sample;     /* when the decision was made */
	uint64_t start, end; /* of the word; start <= end <= sample */
	unsigned word;	     /* index, kws_model_word() */
	float score;	     /* peak of the smoothed probability, 0..1 */
	float threshold;     /* that the score had to reach */
	float level_dbfs;    /* RMS level of the word, dB re full scale */
	float snr_db;	     /* level above the background before the word, dB */
} kws_event;

typedef void kws_event_fn(void *ctx, const kws_event *ev);

/* What a program knows about an event beyond the event itself. Initialise it with
 * KWS_EVENT_CONTEXT: nothing is known. A text that is NULL, or a number that is NaN, is unknown. */
typedef struct {
	size_t size; /* of this struct: later versions add members at its end */
	/* Identifies the stream, for the event's id. NULL: the file's name is used; without one
	 * there is no id. */
	const char *stream;
	const char *file;
	const char *device; /* the audio device; without it, gap_count to dropped are ignored */
	const char *host;
	uint64_t origin;	/* samples counted before this stream, at the model's rate; 0 */
	double wall;		/* time of sample 0 of the whole count: seconds since 1970, UTC */
	double monotonic;	/* the same by a clock that is never set */
	uint64_t gap_count;	/* times audio was lost since the previous event */
	double gap_s;		/* total length of these gaps, seconds */
	const char *gap_reason; /* cause of the last gap */
	const char *clip;	/* file with the sound of the event */
	uint64_t dropped;	/* events that this reader lost since the previous one */
	const char *listener;	/* name of the microphone, if there are several */
	const char *spotter;	/* name of the model's section, if several models hear the stream */
	const char *after;	/* the gating word: this event counts only after it */
	const char *after_id;	/* id of the gating word's event */
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

/* Enough room for any event without a file name. A file name takes at most six times its length. */
enum { KWS_EVENT_JSON = 5120 };

/* Write the event as a JSON object on one line, without a line feed. `kws spot --format jsonl` and
 * every sink of kwsd write exactly this; docs/event.schema.json describes it. The text is UTF-8
 * without control characters, whatever the names contain. context NULL: only the event and its
 * model are known. Returns the length, which is less than size; or 0 if it does not fit, and out is
 * "". Does not allocate; may be called from any thread. */
KWS_API size_t kws_event_json(const kws_event *ev, const kws_model *m,
			      const kws_event_context *context, char *out, size_t size);

/* One network frame, for meters, plots and statistics. */
typedef struct {
	uint64_t sample; /* at its end */
	const float
		*prob; /* (n_words,) softmax of the logits; of a word of one's own, its logistic */
	const float *logit; /* (n_words,) */
	/* (stride,) mean square of each hop. level, embedding and mel are NULL if the model
	 * processes the whole clip at once. */
	const float *level;
	size_t n_words, stride;
	const float *embedding; /* (n_embedding,) input of the network's output layer */
	size_t n_embedding;
	/* (stride, n_mels) natural log of the power in each mel band of each hop, before the
	 * network scales it */
	const float *mel;
	size_t n_mels;
} kws_frame;

typedef void kws_frame_fn(void *ctx, const kws_frame *f);

/* ---- spotter: a stream in, events out -------------------------------------------------------- */

typedef struct kws_spotter kws_spotter;

/* Initialise it with KWS_SPOTTER_CONFIG, which takes everything from the model file. How long a word
 * may wait until it is sure (wait_ms, 0..500 ms; 0: it does not) is always the model file's: such a
 * word is decided by so much later, or not at all if its score falls below its threshold meanwhile. */
typedef struct {
	size_t size;	   /* of this struct: later versions add members at its end */
	int smooth_ms;	   /* window of the mean probability, 0..2000; -1: the model's */
	int refractory_ms; /* shortest time between events of a word, 0..60000; -1: the model's */
	/* (n_words,) 0..1; above 1: never; NaN: the model's. NULL: all the model's. Copied. */
	const float *threshold;
	kws_event_fn *on_event; /* or NULL */
	kws_frame_fn *on_frame; /* called for each frame, before the events it decides; or NULL */
	void *ctx;		/* first argument of both callbacks */
} kws_spotter_config;

#define KWS_SPOTTER_CONFIG { sizeof(kws_spotter_config), -1, -1, NULL, NULL, NULL, NULL }

/* in_hz: rate of the audio, 8000..192000. config NULL: KWS_SPOTTER_CONFIG. KWS_ERR_ARG: a value is
 * out of range, or the model takes only clips; the error names it. A callback MUST NOT call
 * functions of the spotter or its group, except kws_spotter_score(). */
KWS_API enum kws_status kws_spotter_create(kws_spotter **out, const kws_model *m, unsigned in_hz,
					   const kws_spotter_config *config, kws_error *err);
KWS_API void kws_spotter_destroy(kws_spotter *sp);
KWS_API void kws_spotter_reset(kws_spotter *sp);

/* Process pcm (n,). */
KWS_API void kws_spotter_process(kws_spotter *sp, const float *pcm, size_t n);

/* The audio has ended: decide what is still open. Only reset or destroy may follow. */
KWS_API void kws_spotter_flush(kws_spotter *sp);

/* Change times and thresholds from the next frame on. The callbacks and everything heard so far are
 * kept. On KWS_ERR_ARG nothing has changed. */
KWS_API enum kws_status kws_spotter_configure(kws_spotter *sp, const kws_spotter_config *config,
					      kws_error *err);

/* The smoothed probabilities (n_words,) that are compared with the thresholds; in on_frame, those
 * of that frame. */
KWS_API const float *kws_spotter_score(const kws_spotter *sp);

/* Samples processed since the start or reset, at the model's rate. */
KWS_API uint64_t kws_spotter_heard(const kws_spotter *sp);

/* ---- cascade: several models on one stream --------------------------------------------------- */

/* Each model works as a spotter of its own. The order of all events is the same however the audio
 * is cut. A model may be gated: its words count only for some seconds after a word of another model
 * ("jarvis", then "lights off"). Between those times it costs nothing. */
typedef struct kws_cascade kws_cascade;

KWS_API enum kws_status kws_cascade_create(kws_cascade **out, kws_error *err);
KWS_API void kws_cascade_destroy(kws_cascade *c);

/* Add a model, before the first start. The model MUST outlive the cascade. name: 1 to 31 characters
 * of A-Z a-z 0-9 _ -, unique; NULL: no name. config: times, thresholds and callbacks, as for
 * kws_spotter_create(); NULL: no events. KWS_ERR_ARG: the error names what is wrong. */
KWS_API enum kws_status kws_cascade_add(kws_cascade *c, const char *name, const kws_model *m,
					const kws_spotter_config *config, kws_error *err);

/* Gate the model `name': its words count only after a word of the model `after'. The middle of such
 * a word must not be before the end of the gating word, and its start at most within_s, 0..3600,
 * after that end. `name' listens from 1 s before the gating word was decided until within_s + 2.5 s
 * after its end; each further gating word moves that end. Call it before the first start.
 * KWS_ERR_ARG: a model is unknown, or the gates form a circle. */
KWS_API enum kws_status kws_cascade_gate(kws_cascade *c, const char *name, const char *after,
					 double within_s, kws_error *err);

/* Begin a new stream and forget the old one. context: what is known about the stream; NULL:
 * nothing. It is copied, but its texts MUST live until the next start. Allocates, and may fail,
 * only the first time and when in_hz changes; after a failure it hears nothing. */
KWS_API enum kws_status kws_cascade_start(kws_cascade *c, unsigned in_hz,
					  const kws_event_context *context, kws_error *err);

/* Process pcm (n,). Events are reported within 10 ms of the audio in which they are decided. */
KWS_API void kws_cascade_process(kws_cascade *c, const float *pcm, size_t n);

/* The audio has ended: decide what is still open. Only start or destroy may follow. */
KWS_API void kws_cascade_flush(kws_cascade *c);

/* Call it in on_event, for kws_event_json(): what is known about this event, including spotter,
 * after and after_id. */
KWS_API const kws_event_context *kws_cascade_context(const kws_cascade *c);

/* ---- groups: many streams of one model ------------------------------------------------------- */

/* The spotters of a group share their working memory, so each needs little more than its history.
 * Spotters that are fed together share the matrix products. A group and its spotters belong to one
 * thread at a time. Spotters may be created and destroyed at any time; each gives the same output
 * as if it were alone. */
typedef struct kws_group kws_group;

KWS_API enum kws_status kws_group_create(kws_group **out, const kws_model *m, kws_error *err);
KWS_API void kws_group_destroy(kws_group *g); /* after all its spotters */
KWS_API enum kws_status kws_spotter_create_in(kws_spotter **out, kws_group *g, unsigned in_hz,
					      const kws_spotter_config *config, kws_error *err);

typedef struct {
	kws_spotter *spotter;
	const float *pcm; /* (n,) */
	size_t n;
} kws_spotter_input;

/* Feed n_in spotters of one group, each at most once. This is faster than feeding them one by one
 * when each gets little audio, as in live streams. */
KWS_API void kws_spotter_process_all(const kws_spotter_input *in, size_t n_in);

/* ---- classifier: a clip in, probabilities out ------------------------------------------------ */

typedef struct kws_classifier kws_classifier;

/* Each clip starts from a fresh state. Its probabilities are those of the network frame in which a
 * command is most probable, among the frames whose pooling window lies wholly inside the clip. If
 * the clip is shorter than the window, silence is added up to its length. at_end: the probabilities
 * are those of the clip's last frame, as a stream would give them at that moment, with everything
 * before as its past. A model with full attention takes only the beginning of a clip, as much as it
 * can process. */
KWS_API enum kws_status kws_classifier_create(kws_classifier **out, const kws_model *m,
					      unsigned in_hz, bool at_end, kws_error *err);
KWS_API void kws_classifier_destroy(kws_classifier *c);

/* Process more of the clip, pcm (n,). */
KWS_API void kws_classifier_process(kws_classifier *c, const float *pcm, size_t n);

/* The clip has ended: write prob (n_words,), which sums to 1 but for words of one's own. The next
 * audio belongs to the next clip. */
KWS_API void kws_classifier_finish(kws_classifier *c, float *prob);

/* ---- words of one's own
 * ---------------------------------------------------------------------------------------- */

/* From a few takes (recordings of one word each) to a model file that hears the word, beside all
 * that the base hears. The base is a model file with an embedding, the bank holds what is not
 * the word. Deterministic: the same base, bank, takes in the same order and seed make the same
 * bytes on one machine. */

/* What is wrong with a take: bits. A take with any of them is not used. */
enum {
	KWS_TAKE_NO_SPEECH = 1,
	KWS_TAKE_TOO_QUIET = 2,
	KWS_TAKE_CLIPPED = 4,
	KWS_TAKE_CUT_OFF = 8,	     /* the word begins before the take or ends after it */
	KWS_TAKE_TOO_SHORT = 16,     /* a word of less than 0.2 s */
	KWS_TAKE_TOO_LONG = 32,	     /* a word of more than 2.5 s, or a take of more than 8 s */
	KWS_TAKE_SEVERAL_WORDS = 64, /* more than one stretch of speech */
	KWS_TAKE_TWICE = 128,	     /* the same recording as an earlier take */
	KWS_TAKE_UNLIKE = 256	     /* not what the others say; known from the third take on */
};

typedef struct {
	size_t size;	   /* of this struct: later versions add to its end */
	unsigned faults;   /* KWS_TAKE_..., 0: it is good */
	float seconds;	   /* of the whole take */
	size_t start, end; /* of the word, in samples at the base's rate */
	float level_dbfs;  /* of the word's loudest 30 ms */
	float snr_db;	   /* over what is around it */
	float likeness;	   /* to the other takes, -1..1; 1 while there are fewer than two others */
} kws_take;

/* The worst of the faults in English, "clipped: ..."; "" for 0. */
KWS_API const char *kws_take_fault(unsigned faults);

/* Recordings without the word, as rows of one base's embedding. Immutable; any number of
 * threads. */
typedef struct kws_bank kws_bank;

KWS_API enum kws_status kws_bank_open(kws_bank **out, const char *path, kws_error *err);
KWS_API enum kws_status kws_bank_parse(kws_bank **out, const void *blob, size_t len,
				       kws_error *err);
KWS_API void kws_bank_close(kws_bank *b);

/* Hours that heads are fitted against, and others that set thresholds. */
KWS_API double kws_bank_fit_hours(const kws_bank *b);
KWS_API double kws_bank_judge_hours(const kws_bank *b);

typedef struct kws_enrol kws_enrol;

/* Begin with KWS_ENROL_CONFIG. */
typedef struct {
	size_t size;	/* of this struct: later versions add to its end */
	uint32_t seed;	/* of all that is random */
	float per_hour; /* wanted rate of false alarms, 0.01..100 */
	/* The words of the base make no events any more: their names get a _ on either side. */
	bool only;
} kws_enrol_config;

#define KWS_ENROL_CONFIG { sizeof(kws_enrol_config), 1, 1.0f, false }

/* What is to be expected of the word. */
typedef struct {
	size_t size;	 /* of this struct: later versions add to its end */
	size_t n_takes;	 /* spoken ones that were used */
	float threshold; /* of the word, 0..1 */
	/* Each spoken take, as it is and degraded, was tried with a head that was fitted without
	 * it. */
	size_t n_tried, n_missed;
	double judge_hours; /* that set the threshold */
	size_t n_alarms;    /* in them, at the threshold */
	/* Words of the base that the takes sound like, kws_model_word(), closest first; and the
	 * mean of their best probabilities in the takes, 0..1, 0: there is no such word. */
	unsigned near[3];
	float near_score[3];
} kws_enrol_report;

/* base (len bytes), a model file, and bank MUST outlive the object. KWS_ERR_ARG: base has no
 * embedding, bank is of another, or a value is out of its range. */
KWS_API enum kws_status kws_enrol_create(kws_enrol **out, const void *base, size_t len,
					 const kws_bank *bank, const kws_enrol_config *config,
					 kws_error *err);
KWS_API void kws_enrol_destroy(kws_enrol *e);

/* What a take is. */
enum kws_take_kind {
	KWS_TAKE_SPOKEN, /* the word, said by a person */
	KWS_TAKE_SYNTHETIC, /* the word, by a synthetic voice: helps to fit, and tells nothing of misses */
	KWS_TAKE_WRONG /* no such word, but the model has taken it for one; any sound is good */
};

/* One more take, pcm (n,) at in_hz (8000..192000): it is copied and judged, t is what was found.
 * Takes with faults are kept, and not used. KWS_ERR_ARG: more than 60 s, or more than 400 takes. */
KWS_API enum kws_status kws_enrol_take(kws_enrol *e, enum kws_take_kind kind, const float *pcm,
				       size_t n, unsigned in_hz, kws_take *t, kws_error *err);

/* Fit the word's head to all good takes. Takes that turn out unlike the others are left out:
 * kws_enrol_judged() has them. KWS_ERR_ARG: fewer than three good spoken takes, or the word cannot be:
 * it is there already, or is no name. Seconds to a minute. */
KWS_API enum kws_status kws_enrol_fit(kws_enrol *e, const char *word, kws_enrol_report *report,
				      kws_error *err);

/* Takes so far, and what was found of take i < n_takes, with what fitting found. */
KWS_API size_t kws_enrol_n_takes(const kws_enrol *e);
KWS_API const kws_take *kws_enrol_judged(const kws_enrol *e, size_t i);

/* The base with the word in it, (*len bytes), a model file; NULL before a fit. Lives as long as
 * e. */
KWS_API const void *kws_enrol_file(const kws_enrol *e, size_t *len);

#ifdef __cplusplus
}
#endif

#endif
