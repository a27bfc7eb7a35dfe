/* evaluated.h - what kws eval and kws merge print and draw of recordings. */
#ifndef KWS_CLI_EVALUATED_H
#define KWS_CLI_EVALUATED_H

#include "cli/out.h"
#include "corpus/evaluation.h"
#include "corpus/hear.h"

typedef struct {
	enum kws_format format;
	const char *picture;		       /* NULL: none */
	double target[KWS_EVALUATION_TARGETS]; /* false alarms per hour */
	size_t n_targets;		       /* 0: the usual ones */
} kws_evaluated_style;

/* Recordings, added up. */
typedef struct {
	const kws_model *model;
	kws_material terms;
	bool *command; /* (n_words,) of terms */
	float *own;    /* (n_words,) the model's thresholds */
	kws_measured sum;
	size_t failed; /* recordings that could not be read */
} kws_evaluated;       /* starts as all zeros */

/* Begin with none, counted as config says. False: the reason was printed. Free e in any case. */
bool kws_evaluated_open(kws_evaluated *e, const kws_model *model, const kws_hear_config *config);
void kws_evaluated_free(kws_evaluated *e);

/* Add to a head of results how e counts; and begin as such a head says. */
void kws_evaluated_options(const kws_evaluated *e, json_t *head);
bool kws_evaluated_open_as(kws_evaluated *e, const kws_model *model, const json_t *head);

/* Add a recording; NULL: one that could not be read. False: the reason was printed. */
bool kws_evaluated_add(kws_evaluated *e, const kws_measured *measured);

/* Returns an exit status. */
int kws_evaluated_print(const kws_evaluated *e, const kws_evaluated_style *style);

#endif
