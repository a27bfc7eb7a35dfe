#include "spot/fit.h"

#include "spot/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	H = KWS_FIT_HIDDEN,
	STEPS = 400,
	WARM_UP = 40,
	N_IS = 64,	  /* of a batch */
	N_SYNTHETIC = 24, /* of N_IS */
	N_BANK = 320,
	N_HALVES = 64,
	N_WRONG = 64,
	N_HARD = 128,
	BATCH = N_IS + N_BANK + N_HALVES + N_WRONG + N_HARD,
	HARDEST = 800, /* hard negatives of the bank, at most */
};

static const float RATE = 3e-3f, DECAY = 0.1f, BETA1 = 0.9f, BETA2 = 0.999f;
static const float MIXED = 0.35f;	     /* fraction of another sound in a positive, at most */
static const float YES = 0.99f, NO = 0.005f; /* labels that keep the logits finite */
static const float WEIGHT = 3.0f;	     /* of a positive */

/* The state of the fit. Parameters, gradient and both moments have the same layout: w1, b1, w2,
 * b2. */
typedef struct {
	size_t rank, n; /* n: parameters */
	float *x;	/* (BATCH, rank) */
	float *param, *grad, *m, *v;
	float *logits; /* of the bank */
	float *sorted;
	size_t *hard;
	size_t n_hard;
} fitting;

enum kws_status kws_head_create(kws_head *h, size_t rank)
{
	*h = (kws_head){ .rank = rank, .w1 = calloc(rank * H, sizeof *h->w1) };
	return h->w1 ? KWS_OK : KWS_ERR_NOMEM;
}

void kws_head_free(kws_head *h)
{
	free(h->w1);
	*h = (kws_head){ 0 };
}

float kws_logistic(float x)
{
	return 1.0f / (1.0f + expf(-x));
}

float kws_logit(float p)
{
	const float q = fminf(fmaxf(p, 1e-6f), 1.0f - 1e-6f);
	return logf(q / (1.0f - q));
}

int kws_falling(const void *a, const void *b)
{
	const float x = *(const float *)a, y = *(const float *)b;
	return (x < y) - (x > y);
}

/* x (rank,) -> pre (H,), the input of SiLU. */
static void first_layer(const float *w1, const float *b1, const float *x, size_t rank, float *pre)
{
	memcpy(pre, b1, H * sizeof *pre);
	for (size_t i = 0; i < rank; i++)
		for (size_t k = 0; k < H; k++)
			pre[k] += x[i] * w1[i * H + k];
}

void kws_head_run(const kws_head *h, const float *points, size_t n, float *logits)
{
	for (size_t i = 0; i < n; i++, points += h->rank) {
		float pre[H], sum = h->b2;
		first_layer(h->w1, h->b1, points, h->rank, pre);
		for (size_t k = 0; k < H; k++)
			sum += h->w2[k] * pre[k] * kws_logistic(pre[k]);
		logits[i] = sum;
	}
}

/* ---- a batch ---- */

static const float *pick(kws_random *r, kws_points p, size_t rank)
{
	return p.at + kws_random_below(r, p.n) * rank;
}

/* Mix a positive with another sound, and scale the result to the length of a point. */
static void mix(kws_random *r, const float *is, const float *other, size_t rank, float *x)
{
	const float part = kws_random_uniform(r, 0.0f, MIXED);
	double sum = 0.0;
	for (size_t i = 0; i < rank; i++) {
		x[i] = (1.0f - part) * is[i] + part * other[i];
		sum += (double)x[i] * (double)x[i];
	}
	const float scale = (float)sqrt((double)rank / fmax(sum, 1e-12));
	for (size_t i = 0; i < rank; i++)
		x[i] *= scale;
}

/* Fill a batch. Returns the number of rows of x; the first N_IS are positives. */
static size_t fill(fitting *f, kws_random *r, const kws_fit_points *p)
{
	const size_t rank = f->rank;
	float *x = f->x;
	for (size_t i = 0; i < N_IS; i++, x += rank) {
		const bool synthetic = p->synthetic.n && i < N_SYNTHETIC;
		const float *is = pick(r, synthetic ? p->synthetic : p->is, rank);
		mix(r, is, pick(r, p->bank, rank), rank, x);
	}
	for (size_t i = 0; i < N_BANK; i++, x += rank)
		memcpy(x, pick(r, p->bank, rank), rank * sizeof *x);
	for (size_t i = 0; p->halves.n && i < N_HALVES; i++, x += rank)
		memcpy(x, pick(r, p->halves, rank), rank * sizeof *x);
	for (size_t i = 0; p->wrong.n && i < N_WRONG; i++, x += rank)
		memcpy(x, pick(r, p->wrong, rank), rank * sizeof *x);
	for (size_t i = 0; f->n_hard && i < N_HARD; i++, x += rank)
		memcpy(x, p->bank.at + f->hard[kws_random_below(r, f->n_hard)] * rank,
		       rank * sizeof *x);
	return (size_t)(x - f->x) / rank;
}

/* The gradient of the weighted mean cross entropy. */
static void gradient(fitting *f, size_t n)
{
	const float *w1 = f->param, *b1 = w1 + f->rank * H, *w2 = b1 + H, b2 = w2[H];
	float *g1 = f->grad, *gb = g1 + f->rank * H, *g2 = gb + H;
	const float all = WEIGHT * N_IS + (float)(n - N_IS);
	memset(f->grad, 0, f->n * sizeof *f->grad);
	for (size_t i = 0; i < n; i++) {
		const float *x = f->x + i * f->rank;
		float pre[H], gate[H], back[H], logit = b2;
		first_layer(w1, b1, x, f->rank, pre);
		for (size_t k = 0; k < H; k++) {
			gate[k] = kws_logistic(pre[k]);
			logit += w2[k] * pre[k] * gate[k];
		}
		const float d = (kws_logistic(logit) - (i < N_IS ? YES : NO))
				* (i < N_IS ? WEIGHT : 1.0f) / all;
		for (size_t k = 0; k < H; k++) {
			g2[k] += d * pre[k] * gate[k];
			back[k] = d * w2[k] * gate[k] * (1.0f + pre[k] * (1.0f - gate[k]));
			gb[k] += back[k];
		}
		g2[H] += d;
		for (size_t j = 0; j < f->rank; j++)
			for (size_t k = 0; k < H; k++)
				g1[j * H + k] += x[j] * back[k];
	}
}

/* AdamW: I. Loshchilov, F. Hutter, "Decoupled weight decay regularization", arXiv 1711.05101. */
static void descend(fitting *f, size_t step)
{
	const float warm = fminf(1.0f, (float)(step + 1) / WARM_UP);
	const float rate =
		RATE * warm * (0.5f + 0.5f * cosf(3.14159265f * (float)step / (float)STEPS));
	const float fix1 = 1.0f - powf(BETA1, (float)(step + 1)),
		    fix2 = 1.0f - powf(BETA2, (float)(step + 1));
	for (size_t i = 0; i < f->n; i++) {
		f->m[i] += (1.0f - BETA1) * (f->grad[i] - f->m[i]);
		f->v[i] += (1.0f - BETA2) * (f->grad[i] * f->grad[i] - f->v[i]);
		f->param[i] -=
			rate
			* (DECAY * f->param[i] + f->m[i] / fix1 / (sqrtf(f->v[i] / fix2) + 1e-8f));
	}
}

/* ---- the fit ---- */

static void copy_out(const fitting *f, kws_head *h)
{
	const float *b1 = f->param + f->rank * H;
	memcpy(h->w1, f->param, f->rank * H * sizeof *h->w1);
	memcpy(h->b1, b1, sizeof h->b1);
	memcpy(h->w2, b1 + H, sizeof h->w2);
	h->b2 = b1[2 * H];
}

/* Find the hard negatives: the points of the bank with the highest logits. */
static void find_hard(fitting *f, kws_head *h, kws_points bank)
{
	const size_t most = bank.n < HARDEST ? bank.n : HARDEST;
	copy_out(f, h);
	kws_head_run(h, bank.at, bank.n, f->logits);
	memcpy(f->sorted, f->logits, bank.n * sizeof *f->sorted);
	qsort(f->sorted, bank.n, sizeof *f->sorted, kws_falling);
	f->n_hard = 0;
	for (size_t i = 0; i < bank.n && f->n_hard < most; i++)
		if (f->logits[i] >= f->sorted[most - 1])
			f->hard[f->n_hard++] = i;
}

static void begin(fitting *f, kws_random *r)
{
	const float first = 1.0f / sqrtf((float)f->rank), second = 1.0f / sqrtf((float)H);
	for (size_t i = 0; i < f->n; i++) {
		const float most = i < (f->rank + 1) * H ? first : second;
		f->param[i] = kws_random_uniform(r, -most, most);
	}
}

static bool create(fitting *f, size_t rank, size_t n_bank)
{
	*f = (fitting){ .rank = rank, .n = (rank + 2) * H + 1 };
	f->x = calloc(BATCH * rank, sizeof *f->x);
	f->param = calloc(f->n, sizeof *f->param);
	f->grad = calloc(f->n, sizeof *f->grad);
	f->m = calloc(f->n, sizeof *f->m);
	f->v = calloc(f->n, sizeof *f->v);
	f->logits = calloc(n_bank, sizeof *f->logits);
	f->sorted = calloc(n_bank, sizeof *f->sorted);
	f->hard = calloc(HARDEST, sizeof *f->hard);
	return f->x && f->param && f->grad && f->m && f->v && f->logits && f->sorted && f->hard;
}

static void destroy(fitting *f)
{
	free(f->x);
	free(f->param);
	free(f->grad);
	free(f->m);
	free(f->v);
	free(f->logits);
	free(f->sorted);
	free(f->hard);
}

enum kws_status kws_fit(kws_head *h, const kws_fit_points *p, uint64_t seed)
{
	fitting f;
	kws_random r = kws_random_init(seed, 0);
	const bool good = create(&f, h->rank, p->bank.n);
	if (good)
		begin(&f, &r);
	for (size_t step = 0; good && step < STEPS; step++) {
		gradient(&f, fill(&f, &r, p));
		descend(&f, step);
		if (step == STEPS / 4 || step == STEPS / 2 || step == STEPS * 3 / 4)
			find_hard(&f, h, p->bank);
	}
	if (good)
		copy_out(&f, h);
	destroy(&f);
	return good ? KWS_OK : KWS_ERR_NOMEM;
}
