/* floor.h - the floor of kws bench: what audio costs in nothing but bare matrix products, of floats
 * and of integers as the model has them, and FFTs. */
#ifndef KWS_CLI_FLOOR_H
#define KWS_CLI_FLOOR_H

#include "kws.h"

typedef struct kws_floor kws_floor;

/* For so many hops of audio. The model MUST outlive it. NULL: no memory. */
kws_floor *kws_floor_create(const kws_model *m, size_t hops);
void kws_floor_destroy(kws_floor *f);

/* Once all products of these hops, or all FFTs. */
void kws_floor_products(kws_floor *f);
void kws_floor_ffts(kws_floor *f);

/* Multiply-adds of float32, and of integers of 8 bits. */
typedef struct {
	double floats, bytes;
} kws_multiply_adds;

/* Those of the products of these hops. */
kws_multiply_adds kws_floor_multiply_adds(const kws_floor *f);

/* How many of each kind this processor does in a second, in registers and with nothing else to do.
 * Takes a millisecond. */
kws_multiply_adds kws_floor_peak(void);

#endif
