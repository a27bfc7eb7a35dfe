/* How much the takes of a word are alike. */
#include "spot/enrol.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A take with a lower likeness to the others (cosine of their points) is taken for another word. */
static const float UNLIKE = 0.15f;

/* Sum the points of the clean copy of take i in to (rank,). Returns the length of the sum. */
static double mean_point(const kws_enrol *e, size_t i, double *to)
{
	const kws_copy *c = &e->takes[i].copies[0];
	double sum = 0.0;
	memset(to, 0, e->rank * sizeof *to);
	for (size_t k = 0; k < c->n_is; k++)
		for (size_t j = 0; j < e->rank; j++)
			to[j] += (double)c->all[(c->is + k) * e->rank + j];
	for (size_t j = 0; j < e->rank; j++)
		sum += to[j] * to[j];
	return sqrt(sum) + 1e-9;
}

/* The cosine of take i and the sum of the others. one, others: (rank,), room. */
static float likeness(const kws_enrol *e, size_t i, double *one, double *others)
{
	double dot = 0.0, square = 0.0;
	memset(others, 0, e->rank * sizeof *others);
	for (size_t k = 0; k < e->n_takes; k++) {
		if (k == i || e->takes[k].kind != KWS_TAKE_SPOKEN
		    || (e->takes[k].judged.faults & ~(unsigned)KWS_TAKE_UNLIKE))
			continue;
		const double length = mean_point(e, k, one);
		for (size_t j = 0; j < e->rank; j++)
			others[j] += one[j] / length;
	}
	const double length = mean_point(e, i, one);
	for (size_t j = 0; j < e->rank; j++) {
		dot += one[j] * others[j] / length;
		square += others[j] * others[j];
	}
	return (float)(dot / (sqrt(square) + 1e-9));
}

enum kws_status kws_enrol_compare(kws_enrol *e)
{
	double *room = calloc(2 * e->rank, sizeof *room);
	if (!room)
		return KWS_ERR_NOMEM;
	for (size_t i = 0; i < e->n_takes; i++) {
		kws_take *t = &e->takes[i].judged;
		if (!kws_enrol_is(e, i, KWS_TAKE_SPOKEN))
			continue;
		t->likeness = likeness(e, i, room, room + e->rank);
		if (t->likeness < UNLIKE)
			t->faults |= KWS_TAKE_UNLIKE;
	}
	free(room);
	return KWS_OK;
}
