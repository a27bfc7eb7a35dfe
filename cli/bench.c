/* kws bench - measures the speed on this machine, as ratios within one run. */
#include "cli/args.h"
#include "cli/bench.h"
#include "cli/cli.h"
#include "cli/floor.h"
#include "cli/out.h"
#include "cli/startup.h"
#include "model/runner.h"
#include "spot/spotter.h"
#include "vec/vec.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROUNDS = 9, LIVE_HOPS = 3000, START_RUNS = 7 };

typedef struct {
	kws_args_audio audio;
	unsigned seconds;
	bool seconds_given, streams;
	unsigned n_streams; /* 0: as many as there can be */
	enum kws_format format;
} options;

typedef struct {
	const kws_model *model;
	size_t n;	/* samples at the model's rate */
	float *pcm;	/* (n,) */
	double seconds; /* of audio */
	/* results; times in seconds of one pass over the audio */
	double pipeline, products, ffts, over_floor, over_file;
	kws_multiply_adds peak;	 /* of a second: the best that was seen */
	double products_of_peak; /* share of it that the products reach */
	double hop_us[LIVE_HOPS];
	double two_workers, ready_ms;
	size_t stream_bytes, state_bytes, rss_bytes;
} bench;

static kws_spotter *spotter(const kws_model *m)
{
	kws_error err = { "" };
	kws_spotter *sp;
	if (kws_spotter_create(&sp, m, kws_model_rate_hz(m), NULL, &err) != KWS_OK)
		kws_out_complain("bench: %s", err.text);
	return sp;
}

/* ---- files ------------------------------------------------------------------------------------ */

static double run_products(kws_floor *f)
{
	const double t0 = kws_bench_cpu();
	kws_floor_products(f);
	return kws_bench_cpu() - t0;
}

static double run_ffts(kws_floor *f)
{
	const double t0 = kws_bench_cpu();
	kws_floor_ffts(f);
	return kws_bench_cpu() - t0;
}

/* All of the audio, so many samples at a time. */
static double run_pipeline(const bench *b, kws_spotter *sp, size_t piece)
{
	kws_spotter_reset(sp);
	const double t0 = kws_bench_cpu();
	for (size_t at = 0; at < b->n; at += piece)
		kws_spotter_process(sp, b->pcm + at, b->n - at < piece ? b->n - at : piece);
	return kws_bench_cpu() - t0;
}

static double greater(double a, double b)
{
	return a > b ? a : b;
}

static void measure_peak(bench *b)
{
	const kws_multiply_adds now = kws_floor_peak();
	b->peak.floats = greater(b->peak.floats, now.floats);
	b->peak.bytes = greater(b->peak.bytes, now.bytes);
}

/* Measure the pipeline, on a file and hop by hop, and its floor in turn, so that a drifting machine
 * affects all of them. */
static bool measure_offline(bench *b)
{
	const size_t hop = kws_model_features(b->model)->hop;
	double pipeline[ROUNDS], products[ROUNDS], ffts[ROUNDS], over_floor[ROUNDS],
		over_file[ROUNDS];
	kws_floor *f = kws_floor_create(b->model, b->n / hop);
	kws_spotter *sp = spotter(b->model);
	const bool good = f && sp;
	if (good)
		run_pipeline(b, sp, b->n);
	for (size_t i = 0; good && i < ROUNDS; i++) {
		measure_peak(b);
		products[i] = run_products(f);
		ffts[i] = run_ffts(f);
		pipeline[i] = run_pipeline(b, sp, b->n);
		over_floor[i] = pipeline[i] / (products[i] + ffts[i]);
		over_file[i] = run_pipeline(b, sp, hop) / pipeline[i];
	}
	if (good) {
		b->pipeline = kws_bench_median(pipeline, ROUNDS);
		b->products = kws_bench_median(products, ROUNDS);
		b->ffts = kws_bench_median(ffts, ROUNDS);
		b->over_floor = kws_bench_median(over_floor, ROUNDS);
		b->over_file = kws_bench_median(over_file, ROUNDS);
		const kws_multiply_adds n = kws_floor_multiply_adds(f);
		b->products_of_peak =
			(n.floats / b->peak.floats + n.bytes / b->peak.bytes) / b->products;
	}
	kws_spotter_destroy(sp);
	kws_floor_destroy(f);
	return good;
}

/* ---- live ------------------------------------------------------------------------------------ */

static size_t resident_bytes(void)
{
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");
	if (!f || fscanf(f, "%*u %lu", &pages) != 1)
		pages = 0;
	if (f)
		fclose(f);
	return (size_t)pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* Measure one stream, hop by hop. Call it first, while the process holds nothing else. */
static bool measure_live(bench *b)
{
	const kws_features *f = kws_model_features(b->model);
	const size_t hop = f->hop;
	float *pcm = calloc(100 * hop, sizeof *pcm);
	if (!pcm)
		return false;
	const size_t before = kws_bench_allocated();
	kws_spotter *sp = spotter(b->model);
	b->stream_bytes = kws_bench_allocated() - before;
	kws_runner *runner = NULL;
	if (!sp || kws_runner_create(&runner, b->model) != KWS_OK) {
		free(pcm);
		kws_spotter_destroy(sp);
		return false;
	}
	b->state_bytes = kws_runner_state_bytes(runner);
	kws_runner_destroy(runner);
	kws_bench_fill(pcm, 100 * hop, f->rate_hz);
	for (size_t i = 0; i < 200; i++) /* warm caches and branch predictors */
		kws_spotter_process(sp, pcm + i % 100 * hop, hop);
	for (size_t i = 0; i < LIVE_HOPS; i++) {
		const double t0 = kws_bench_now();
		kws_spotter_process(sp, pcm + i % 100 * hop, hop);
		b->hop_us[i] = 1e6 * (kws_bench_now() - t0);
	}
	b->rss_bytes = resident_bytes();
	kws_bench_sort(b->hop_us, LIVE_HOPS);
	kws_spotter_destroy(sp);
	free(pcm);
	return true;
}

/* An emulator or a loader that runs kws cannot run it a second time. */
static bool measure_start(bench *b, const char *model)
{
	kws_error err = { "" };
	double ms[START_RUNS];
	b->ready_ms = (double)NAN;
	for (size_t i = 0; i < START_RUNS; i++) {
		ms[i] = 1e3 * kws_startup_seconds(model, &err);
		if (isnan(ms[i])) {
			kws_out_complain("bench: start: not measured: %s", err.text);
			return false;
		}
	}
	b->ready_ms = kws_bench_median(ms, START_RUNS);
	return true;
}

/* ---- two workers ----------------------------------------------------------------------------- */

typedef struct {
	const bench *b;
	kws_spotter *sp;
	double seconds;
} worker;

static void *work(void *p)
{
	worker *w = p;
	w->seconds = run_pipeline(w->b, w->sp, w->b->n);
	return NULL;
}

/* Throughput of two workers relative to one, each round measured both ways. */
static bool measure_workers(bench *b)
{
	double ratio[ROUNDS];
	worker w[2] = { { b, spotter(b->model), 0.0 }, { b, spotter(b->model), 0.0 } };
	int failed = w[0].sp && w[1].sp ? 0 : ENOMEM;
	for (size_t i = 0; !failed && i < ROUNDS; i++) {
		pthread_t other;
		double t0 = kws_bench_now();
		run_pipeline(b, w[0].sp, b->n);
		const double one = kws_bench_now() - t0;
		t0 = kws_bench_now();
		failed = pthread_create(&other, NULL, work, &w[1]);
		if (!failed) {
			work(&w[0]);
			pthread_join(other, NULL);
		}
		ratio[i] = 2.0 * one / (kws_bench_now() - t0);
	}
	b->two_workers = failed ? (double)NAN : kws_bench_median(ratio, ROUNDS);
	if (failed)
		kws_out_complain("bench: workers: not measured: %s", strerror(failed));
	kws_spotter_destroy(w[0].sp);
	kws_spotter_destroy(w[1].sp);
	return !failed;
}

/* ---- report ---------------------------------------------------------------------------------- */

static double hop_at(const bench *b, double share)
{
	return b->hop_us[(size_t)(share * (LIVE_HOPS - 1))];
}

static void print_json(const bench *b, double hop_ms)
{
	json_t *o = json_pack("{s:s, s:s, s:s}", "model", kws_model_name(b->model), "model_sha256",
			      kws_model_hash(b->model), "vector_level", kws_vec_get()->name);
	const struct {
		const char *key;
		double value;
	} reals[] = {
		{ "audio_seconds", b->seconds },
		{ "offline_x_real_time", b->seconds / b->pipeline },
		{ "offline_over_floor", b->over_floor },
		{ "floor_products_share", b->products / b->pipeline },
		{ "floor_ffts_share", b->ffts / b->pipeline },
		{ "products_of_peak", b->products_of_peak },
		{ "peak_float32_per_second", b->peak.floats },
		{ "peak_int8_per_second", b->peak.bytes },
		{ "hops_over_file", b->over_file },
		{ "hop_ms", hop_ms },
		{ "hop_us_p50", hop_at(b, 0.5) },
		{ "hop_us_p99", hop_at(b, 0.99) },
		{ "hop_us_max", hop_at(b, 1.0) },
		{ "hop_share_p99", hop_at(b, 0.99) / (1e3 * hop_ms) },
		{ "two_workers_over_one", b->two_workers },
		{ "ready_ms", b->ready_ms },
	};
	const struct {
		const char *key;
		size_t value;
	} counts[] = {
		{ "state_bytes", b->state_bytes },
		{ "stream_bytes", b->stream_bytes },
		{ "rss_bytes", b->rss_bytes },
	};
	for (size_t i = 0; i < sizeof reals / sizeof *reals; i++)
		kws_out_set_real(o, reals[i].key, reals[i].value);
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
		kws_out_set_size(o, counts[i].key, counts[i].value);
	kws_out_json_line(o);
}

static void print_table(const bench *b, double hop_ms)
{
	printf("model %s, vectors %s, one thread\n\n", kws_model_name(b->model),
	       kws_vec_get()->name);
	printf("offline    %8.0f x real time\n", b->seconds / b->pipeline);
	printf("           %8.2f x the floor: bare products %.0f %%, bare FFTs %.0f %% of "
	       "the time\n",
	       b->over_floor, 100.0 * b->products / b->pipeline, 100.0 * b->ffts / b->pipeline);
	printf("floor      %8.0f us a second of audio; its products run at %.0f %% of the peak, "
	       "%.0f G "
	       "multiply-adds/s, %.0f G with 8 bits\n",
	       1e6 * (b->products + b->ffts) / b->seconds, 100.0 * b->products_of_peak,
	       1e-9 * b->peak.floats, 1e-9 * b->peak.bytes);
	printf("live       %8.2f x the same audio in a file, hop by hop\n", b->over_file);
	printf("live hop   %8.1f us p50, %.1f us p99, %.1f us max: p99 is %.2f %% of a %.0f ms "
	       "hop\n",
	       hop_at(b, 0.5), hop_at(b, 0.99), hop_at(b, 1.0), hop_at(b, 0.99) / (10.0 * hop_ms),
	       hop_ms);
	if (!isnan(b->two_workers))
		printf("workers    %8.2f x one, with two\n", b->two_workers);
	printf("memory     %8.1f KiB of state a stream, %.1f KiB with all its buffers, %.1f MiB "
	       "resident\n",
	       (double)b->state_bytes / 1024.0, (double)b->stream_bytes / 1024.0,
	       (double)b->rss_bytes / 1048576.0);
	if (!isnan(b->ready_ms))
		printf("start      %8.1f ms from exec through the first hop to the exit\n",
		       b->ready_ms);
}

/* Returns the exit status. Reports what cannot be measured, and prints the rest. */
static int measure(bench *b, const options *o)
{
	const kws_features *f = kws_model_features(b->model);
	const bool live = measure_live(b);
	b->n = (size_t)o->seconds * f->rate_hz;
	b->seconds = (double)o->seconds;
	b->pcm = calloc(b->n, sizeof *b->pcm);
	if (b->pcm)
		kws_bench_fill(b->pcm, b->n, f->rate_hz);
	if (!live || !b->pcm || !measure_offline(b)) {
		kws_out_complain("bench: %s", kws_strerror(KWS_ERR_NOMEM));
		return KWS_EXIT_INPUT;
	}
	bool all = measure_workers(b);
	all = measure_start(b, o->audio.model) && all;
	(o->format == KWS_FORMAT_JSONL ? print_json
				       : print_table)(b, 1e3 * (double)f->hop / (double)f->rate_hz);
	return all ? KWS_EXIT_OK : KWS_EXIT_INPUT;
}

static int run(const options *o)
{
	kws_model *m = kws_args_open_model(o->audio.model);
	if (!m)
		return KWS_EXIT_MODEL;
	bench *b = calloc(1, sizeof *b);
	int status = KWS_EXIT_INPUT;
	if (!b) {
		kws_out_complain("bench: %s", kws_strerror(KWS_ERR_NOMEM));
	} else if (kws_model_max_frames(m) > 0) {
		kws_out_complain("bench: model %s has full attention: it cannot process a stream",
				 kws_model_name(m));
		status = KWS_EXIT_MODEL;
	} else if (o->streams) {
		status = kws_bench_streams(m, o->n_streams, o->format);
	} else {
		b->model = m;
		status = measure(b, o);
		free(b->pcm);
	}
	free(b);
	kws_model_close(m);
	return status;
}

enum { OPT_FORMAT = 0x100, OPT_JSON, OPT_LEVEL, OPT_STREAMS };

static const struct argp_option list[] = {
	{ "model", 'm', "MODEL", 0, "Model file", 0 },
	{ "seconds", 's', "N", 0, "Seconds of audio in each pass, 1 to 3600 (default 60)", 0 },
	{ "level", OPT_LEVEL, "LEVEL", 0,
	  "Use the code for such processors, e.g. x86-64-v3, instead of the best", 0 },
	{ "streams", OPT_STREAMS, "N", OPTION_ARG_OPTIONAL,
	  "Measure N live streams on one core, 1 to 100000, or find how many it carries", 0 },
	{ "format", OPT_FORMAT, "FORMAT", 0, "text (default) or jsonl", 0 },
	{ "json", OPT_JSON, NULL, OPTION_HIDDEN, NULL, 0 },
	{ 0 },
};

static void choose_level(struct argp_state *state, const char *name)
{
	const kws_vec *level = kws_vec_named(name);
	if (!level)
		argp_error(state,
			   "--level: '%s' is no level that this build has and this processor can "
			   "run; the best is %s, and every one runs baseline",
			   name, kws_vec_get()->name);
	else
		kws_vec_choose(level);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	options *o = state->input;
	switch (key) {
	case OPT_LEVEL: choose_level(state, arg); return 0;
	case 'm': o->audio.model = arg; return 0;
	case 's':
		o->seconds = kws_args_need(state, "--seconds", arg, 1, 3600);
		o->seconds_given = true;
		return 0;
	case OPT_STREAMS:
		o->streams = true;
		o->n_streams = arg ? kws_args_need(state, "--streams", arg, 1, 100000) : 0;
		return 0;
	case OPT_FORMAT:
		o->format = kws_args_need_format(state, arg,
						 1u << KWS_FORMAT_TEXT | 1u << KWS_FORMAT_JSONL);
		return 0;
	case OPT_JSON: o->format = KWS_FORMAT_JSONL; return 0;
	case ARGP_KEY_ARG: argp_error(state, "'%s': bench reads no files", arg); return 0;
	case ARGP_KEY_END:
		if (o->streams && o->seconds_given)
			argp_error(state, "--streams takes no --seconds");
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = list,
	.parser = parse,
	.doc = "Measure this machine: speed on files, time per live hop, memory, start-up; or how "
	       "many "
	       "live streams a core carries.",
};

int kws_cmd_bench(int argc, char **argv)
{
	options o = { .seconds = 60 };
	kws_args_parse(&argp, argc, argv, &o);
	return run(&o);
}
