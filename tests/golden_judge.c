#include "tests/golden_judge.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

double golden_value(const kws_tensor *t, size_t i)
{
	float f;
	double d;
	if (t->dtype == KWS_F64) {
		memcpy(&d, t->data + i * sizeof d, sizeof d);
		return d;
	}
	memcpy(&f, t->data + i * sizeof f, sizeof f);
	return (double)f;
}

static bool upward(unsigned *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 31;
}

static void nudge(unsigned char *at, bool is_double, unsigned *seed)
{
	double d;
	float f;
	const bool up = upward(seed);
	if (is_double) {
		memcpy(&d, at, sizeof d);
		d *= up ? 1.0 + 0x1p-23 : 1.0 - 0x1p-23;
		memcpy(at, &d, sizeof d);
		return;
	}
	memcpy(&f, at, sizeof f);
	if (f != 0.0f)
		f = nextafterf(f, up ? INFINITY : -INFINITY);
	memcpy(at, &f, sizeof f);
}

unsigned char *golden_nudged(const unsigned char *file, size_t len, unsigned seed)
{
	size_t n = 0;
	for (int i = 7; len >= 8 && i >= 0; i--)
		n = n << 8 | file[i];
	json_t *header = len >= 8 && n <= len - 8 ? json_loadb((const char *)file + 8, n, 0, NULL)
						  : NULL,
	       *entry;
	unsigned char *copy = header ? malloc(len) : NULL;
	const char *name;
	if (copy)
		memcpy(copy, file, len);
	json_object_foreach(header, name, entry)
	{
		const char *dtype = json_string_value(json_object_get(entry, "dtype"));
		const json_t *place = json_object_get(entry, "data_offsets");
		const size_t from = (size_t)json_integer_value(json_array_get(place, 0)),
			     to = (size_t)json_integer_value(json_array_get(place, 1));
		const size_t size = !dtype			? 0
				    : strcmp(dtype, "F32") == 0 ? sizeof(float)
				    : strcmp(dtype, "F64") == 0 ? sizeof(double)
								: 0;
		for (size_t at = from; copy && size && at + size <= to; at += size)
			nudge(copy + 8 + n + at, size == sizeof(double), &seed);
	}
	json_decref(header);
	return copy;
}

void golden_jolt(float *y, const float *x, size_t n, unsigned *seed)
{
	for (size_t i = 0; i < n; i++) {
		const float ulp = 0x1p-23f * fmaxf(fabsf(x[i]), fabsf(y[i]));
		y[i] += upward(seed) ? ulp : -ulp;
	}
}

void golden_widen(double *ulp, const float *y, const float *nudged, size_t rows, size_t dim)
{
	for (size_t r = 0; r < rows; r++)
		for (size_t i = r * dim; i < (r + 1) * dim; i++) {
			const double moved = fabs((double)nudged[i] - (double)y[i]);
			if (isnan(moved) || moved > ulp[r]) /* what is no number stays none */
				ulp[r] = moved;
		}
}

/* The larger of two: what a sound float32 program may be off whatever the data, and twice what one ulp in the data does.
 * Where that is a thousandth of the largest value, the comparison would mean nothing: NaN, which is always too far. */
static double tolerance(double want, double largest, double ulp)
{
	const double base = fmax(5e-6, 7e-7 * largest) + 2e-6 * fabs(want);
	return ulp <= 5e-4 * largest ? fmax(base, 3.0 * ulp) : (double)NAN;
}

void golden_compare(golden_verdict *v, const char *name, const kws_tensor *want, const float *got,
		    const double *ulp, size_t rows, size_t dim)
{
	double largest = 0.0;
	for (size_t i = 0; i < rows * dim; i++)
		largest = fmax(largest, fabs(golden_value(want, i)));
	for (size_t i = 0; i < rows * dim; i++) {
		const double w = golden_value(want, i), diff = fabs((double)got[i] - w),
			     share = diff / tolerance(w, largest, ulp[i / dim]);
		if (isnan(share) || share > v->worst) { /* nothing is above NaN: it stays */
			v->worst = share;
			v->diff = diff;
			v->ulp = ulp[i / dim];
			snprintf(v->at, sizeof v->at, "%s", name);
		}
	}
	const size_t at = strlen(v->names);
	snprintf(v->names + at, sizeof v->names - at, at ? " %s" : "%s", name);
}
