/* listening.h - what kws listen knows: models on a live stream, and what each of their words did. */
#ifndef KWS_CLI_LISTENING_H
#define KWS_CLI_LISTENING_H

#include "cli/models.h"
#include "cli/peaks.h"
#include "spot/near.h"

enum { KWS_LISTENING_STRIP_S = 30, KWS_LISTENING_CELLS_S = 10, KWS_LISTENING_FINDS = 256 };
enum { KWS_LISTENING_CELLS = KWS_LISTENING_STRIP_S * KWS_LISTENING_CELLS_S };

typedef struct {
	char label[KWS_NAME + 64]; /* "go"; of one of several models "orders:go" */
	size_t model, index;	   /* of the listening; of the model */
	float threshold;	   /* now; above 1: off */
	bool moved;		   /* by kws_listening_move() */
	float score;		   /* falls slowly, so that eyes can follow */
	float held;		   /* the highest of the last two seconds */
	double held_s;		   /* when it was reached */
	size_t heard, missed;	   /* events; near misses */
} kws_listening_word;

/* An event, or a near miss. */
typedef struct {
	size_t word; /* of the listening */
	bool near;
	double start_s; /* of the stream */
	float score, threshold;
	float level_dbfs, snr_db; /* of an event */
} kws_listening_find;

typedef struct kws_listening kws_listening;
typedef void kws_listening_fn(void *ctx, const kws_listening_find *find);

/* One of the models. */
typedef struct {
	kws_listening *of;
	size_t index; /* among them; its word i is word place[i] of all */
	const kws_named_model *named;
	float *threshold; /* (n_words,) */
	size_t *place;	  /* (n_words,) */
	kws_near *near;	  /* (n_words,) */
	kws_peaks *peaks; /* (n_words,) */
	uint64_t next;	  /* end of the next frame if nothing is skipped, samples */
} kws_listening_model;

struct kws_listening {
	kws_cascade *cascade;
	kws_listening_model model[KWS_MODELS_MOST];
	size_t n_models;
	kws_listening_word *word; /* (n_words,) the commands of all models */
	size_t n_words;
	unsigned in_hz;
	uint64_t heard;			  /* samples at in_hz */
	float power;			  /* mean square, smoothed over 0.1 s */
	float strip[KWS_LISTENING_CELLS]; /* highest power of a tenth of a second; i at i % ... */
	uint64_t cell;			  /* the newest */
	kws_listening_find find[KWS_LISTENING_FINDS]; /* the newest; i at i % ... */
	size_t n_finds;				      /* all so far */
	kws_listening_fn *fn;
	void *ctx;
};

/* threshold: of each model (n_words,). models MUST outlive l; fn is called for each find. Returns an
 * exit status; reports what is wrong. Close it then, too. */
int kws_listening_open(kws_listening *l, const kws_models *models, float *const *threshold,
		       unsigned in_hz, kws_listening_fn *fn, void *ctx);
void kws_listening_close(kws_listening *l);

/* Hear pcm (n,), at most 10 ms. */
void kws_listening_hear(kws_listening *l, const float *pcm, size_t n);

/* The sound has ended: what is still open is decided. */
void kws_listening_end(kws_listening *l);

/* From now on a word has this threshold; above 1: never. */
void kws_listening_move(kws_listening *l, size_t word, float threshold);

/* Seconds heard. */
double kws_listening_seconds(const kws_listening *l);

/* Whether a model waits for a word of another. */
bool kws_listening_waits(const kws_listening *l, size_t model);

/* A word without the name of its model. */
const char *kws_listening_name(const kws_listening *l, size_t word);

const kws_peaks_word *kws_listening_peaks(const kws_listening *l, size_t word);

#endif
