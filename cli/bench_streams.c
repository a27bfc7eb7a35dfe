/* How many live streams one core carries: in each round every stream gets the sound of one network
 * frame, and the round must be over before the next one begins. */
#include "cli/bench.h"
#include "cli/cli.h"
#include "model/model.h"
#include "vec/vec.h"

#include <stdlib.h>

enum { ROUNDS = 200, TRIAL = 64, TRIES = 6, PHASES = 50, MOST = 100000 };

typedef struct {
	const kws_model *model;
	size_t round; /* samples of each stream */
	double round_s;
	float *pcm; /* (PHASES, round) */
	/* results of the last measurement */
	size_t n;
	double p50, p99; /* seconds of processor time */
	size_t bytes;	 /* of all */
} bench;

typedef struct {
	kws_group *group;
	kws_spotter_input *in; /* (n,) */
	size_t n;
} streams;

static void close_streams(streams *s)
{
	for (size_t i = 0; s->in && i < s->n; i++)
		kws_spotter_destroy(s->in[i].spotter);
	kws_group_destroy(s->group);
	free(s->in);
}

static bool open_streams(const bench *b, streams *s, size_t n)
{
	kws_error err = { "" };
	*s = (streams){ .in = calloc(n, sizeof *s->in) };
	bool good = s->in && kws_group_create(&s->group, b->model, &err) == KWS_OK;
	for (; good && s->n < n; s->n++) {
		s->in[s->n].n = b->round;
		good = kws_spotter_create_in(&s->in[s->n].spotter, s->group,
					     kws_model_rate_hz(b->model), NULL, &err)
		       == KWS_OK;
	}
	if (!good)
		kws_out_complain("bench: %zu streams: %s", n,
				 *err.text ? err.text : kws_strerror(KWS_ERR_NOMEM));
	return good;
}

/* Each stream is at another place of the sound. */
static double run_round(const bench *b, streams *s, size_t round)
{
	for (size_t i = 0; i < s->n; i++)
		s->in[i].pcm = b->pcm + (round + 7 * i) % PHASES * b->round;
	const double t0 = kws_bench_cpu();
	kws_spotter_process_all(s->in, s->n);
	return kws_bench_cpu() - t0;
}

/* False: the reason was printed. */
static bool measure(bench *b, size_t n, size_t rounds)
{
	static double took[ROUNDS];
	streams s;
	const size_t before = kws_bench_allocated();
	const bool good = open_streams(b, &s, n);
	b->n = n;
	b->bytes = kws_bench_allocated() - before;
	for (size_t i = 0; good && i < 5; i++) /* first touch, caches */
		run_round(b, &s, i);
	for (size_t i = 0; good && i < rounds; i++)
		took[i] = run_round(b, &s, i);
	close_streams(&s);
	b->p50 = kws_bench_median(took, rounds);
	b->p99 = took[(rounds * 99 + 99) / 100 - 1];
	return good;
}

/* The most streams whose 99th percentile is within the round. Leaves their results. */
static bool find_most(bench *b)
{
	size_t low = 0, high = MOST, n = TRIAL;
	bench best = *b;
	for (size_t i = 0; i < TRIES && n > low && n < high; i++) {
		if (!measure(b, n, i ? ROUNDS : ROUNDS / 4))
			return false;
		if (b->p99 <= b->round_s) {
			low = n;
			best = *b;
		} else {
			high = n;
		}
		n = (size_t)((double)n * (0.98 * b->round_s / b->p99));
	}
	*b = best;
	if (low == 0)
		kws_out_complain("bench: a round of %zu streams takes longer than its sound", high);
	return low > 0;
}

static void print(const bench *b, enum kws_format format)
{
	const double each = (double)b->bytes / (double)b->n;
	if (format == KWS_FORMAT_JSONL) {
		json_t *o = json_object();
		kws_out_set_text(o, "model", kws_model_name(b->model));
		kws_out_set_text(o, "model_sha256", kws_model_hash(b->model));
		kws_out_set_text(o, "vector_level", kws_vec_get()->name);
		kws_out_set_size(o, "streams", b->n);
		kws_out_set_real(o, "round_ms", 1e3 * b->round_s);
		kws_out_set_real(o, "round_ms_p50", 1e3 * b->p50);
		kws_out_set_real(o, "round_ms_p99", 1e3 * b->p99);
		kws_out_set_real(o, "bytes_per_stream", each);
		kws_out_json_line(o);
		return;
	}
	printf("model %s, vectors %s, one thread\n\n", kws_model_name(b->model),
	       kws_vec_get()->name);
	printf("streams    %8zu live: a round of %.0f ms of each takes %.1f ms p50, %.1f ms p99\n",
	       b->n, 1e3 * b->round_s, 1e3 * b->p50, 1e3 * b->p99);
	printf("memory     %8.1f KiB a stream, with its share of what all use\n", each / 1024.0);
}

int kws_bench_streams(const kws_model *m, unsigned n, enum kws_format format)
{
	const kws_features *f = kws_model_features(m);
	bench b = { .model = m, .round = f->hop * kws_model_stride(m) };
	b.round_s = (double)b.round / (double)f->rate_hz;
	b.pcm = calloc(PHASES * b.round, sizeof *b.pcm);
	bool good = b.pcm != NULL;
	if (good) {
		kws_bench_fill(b.pcm, PHASES * b.round, f->rate_hz);
		good = n ? measure(&b, n, ROUNDS) : find_most(&b);
	} else {
		kws_out_complain("bench: %s", kws_strerror(KWS_ERR_NOMEM));
	}
	if (good)
		print(&b, format);
	free(b.pcm);
	return good ? KWS_EXIT_OK : KWS_EXIT_INPUT;
}
