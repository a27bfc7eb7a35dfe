#include "spot/nearby.h"

#include "spot/stream.h"

#include <stdlib.h>

typedef struct {
	size_t n;
	float *best; /* (n,) highest probability of each word in this take */
	float *sum;  /* (n,) sum of best over all takes */
} heard;

static void on_frame(void *ctx, const kws_frame *f)
{
	heard *h = ctx;
	for (size_t i = 0; i < h->n; i++)
		h->best[i] = f->prob[i] > h->best[i] ? f->prob[i] : h->best[i];
}

static void hear(kws_stream *s, const kws_said *take, heard *h)
{
	kws_stream_reset(s);
	kws_stream_process(s, take->pcm, take->n);
	kws_stream_flush(s);
	for (size_t i = 0; i < h->n; i++) {
		h->sum[i] += h->best[i];
		h->best[i] = 0.0f;
	}
}

/* Put the three commands with the highest sums into the report. */
static void rank(const kws_model *m, heard *h, size_t n_takes, kws_enrol_report *report)
{
	enum { N = sizeof report->near / sizeof *report->near };
	for (size_t k = 0; k < N; k++) {
		size_t top = h->n;
		for (size_t i = 0; i < h->n; i++)
			if (kws_model_is_command(m, i) && (top == h->n || h->sum[i] > h->sum[top]))
				top = i;
		if (top == h->n)
			return;
		report->near[k] = (unsigned)top;
		report->near_score[k] = h->sum[top] > 0.0f ? h->sum[top] / (float)n_takes : 0.0f;
		h->sum[top] = -1.0f;
	}
}

enum kws_status kws_nearby(const kws_model *m, const kws_said *takes, size_t n,
			   kws_enrol_report *report, kws_error *err)
{
	kws_stream *s = NULL;
	heard h = { .n = kws_model_n_words(m) };
	h.best = calloc(h.n, sizeof *h.best);
	h.sum = calloc(h.n, sizeof *h.sum);
	enum kws_status status =
		h.best && h.sum ? kws_stream_create(&s, m, kws_model_rate_hz(m), on_frame, &h, err)
				: kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	for (size_t i = 0; !status && i < n; i++)
		hear(s, &takes[i], &h);
	if (!status)
		rank(m, &h, n, report);
	kws_stream_destroy(s);
	free(h.best);
	free(h.sum);
	return status;
}
