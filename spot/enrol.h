/* enrol.h - what the parts of kws_enrol share. */
#ifndef KWS_SPOT_ENROL_H
#define KWS_SPOT_ENROL_H

#include "spot/alarms.h"
#include "spot/copies.h"

enum {
	KWS_ENROL_FEWEST = 3, /* good takes, at least */
	KWS_ENROL_FOLDS = 5,  /* of the cross-validation that estimates misses */
};

typedef struct {
	enum kws_take_kind kind;
	kws_take judged;
	kws_said said; /* the whole take at the base's rate */
	kws_copy copies[KWS_COPIES];
} kws_enrol_one;

struct kws_enrol {
	const void *base;
	size_t len;
	const kws_bank *bank;
	kws_enrol_config config;
	kws_model *model;
	kws_embedder *embedder;
	size_t rank;
	kws_points fit, judge; /* of the bank's parts: to fit heads against, and to judge them by */
	kws_enrol_one *takes;
	size_t n_takes;
	unsigned char *file; /* result of the last fit */
	size_t file_len;
};

/* Whether take i is used, and is of this kind. */
bool kws_enrol_is(const kws_enrol *e, size_t i, enum kws_take_kind kind);

/* Compute the likeness of each take to the sum of the others. Takes that seem to be another word
 * get a fault. KWS_ERR_NOMEM. */
enum kws_status kws_enrol_compare(kws_enrol *e);

/* Fit h to all good takes, and compute its threshold, `above` logits higher than that of the wanted
 * rate. KWS_ERR_NOMEM; free h in any case. */
enum kws_status kws_enrol_head(kws_enrol *e, float above, kws_head *h, kws_alarms *a);

/* Cross-validation: fit without some takes, and try them. Where their scores leave room, the
 * threshold may be so many logits `above` that of the wanted rate; counts how many are missed at
 * that. KWS_ERR_NOMEM. */
enum kws_status kws_enrol_try_out(kws_enrol *e, kws_enrol_report *report, float *above);

#endif
