/* roster.h - the words that clients may ask for: the models of a configuration, with their
 * thresholds.
 *
 * A roster is immutable. Streams hold shares of the one with which they began; a reload makes
 * another. A model with the same content is in memory once, in one roster or in both. */
#ifndef KWS_WYOMING_ROSTER_H
#define KWS_WYOMING_ROSTER_H

#include "conf/conf.h"

#include <jansson.h>
#include <limits.h>
#include <stdatomic.h>

#define KWS_ROSTER_NO_WORD UINT_MAX

typedef struct kws_roster_model kws_roster_model; /* with its group of streams */

/* One [model] section. */
typedef struct {
	char name[KWS_CONF_NAME];
	kws_roster_model *shared;
	const kws_model *model;
	kws_group *group;
	int smooth_ms, refractory_ms; /* as in kws_spotter_config */
	float *threshold;	      /* (kws_model_n_words(),) */
	unsigned *word;	 /* (kws_model_n_words(),) in the roster, or KWS_ROSTER_NO_WORD */
	int after;	 /* the part whose words open this one; -1: always open */
	double within_s; /* how long after such a word a word may begin */
} kws_roster_part;

typedef struct {
	atomic_uint shares; /* of any thread */
	/* Each after the one that opens it. */
	kws_roster_part part[KWS_CONF_MODELS];
	size_t n_parts;
	/* Each once, in the order of the configuration, however many models have it. Words that are
	 * off are not among them. */
	char **word; /* (n_words,) */
	size_t n_words;
	json_t *index; /* from a word to its place */
	char *info;    /* (n_info,) the event that answers describe */
	size_t n_info;
} kws_roster;

/* Open the models of c. now: the roster so far, or NULL; it is only read. Reads files and may take
 * long: call it from a thread that may block, if need be. Errors are those of kws_model_open() and
 * kws_conf_check_words(); the error names the section. On failure *out is NULL. */
enum kws_status kws_roster_load(kws_roster **out, const kws_conf *c, const kws_roster *now,
				kws_error *err);

/* Any thread may call these. */
kws_roster *kws_roster_share(kws_roster *r);
void kws_roster_release(kws_roster *r); /* NULL is fine; the last share frees it */

/* The index of a word; KWS_ROSTER_NO_WORD: there is none. */
unsigned kws_roster_find(const kws_roster *r, const char *word);
/* The index of the part of this name; -1: there is none. */
int kws_roster_part_named(const kws_roster *r, const char *name);

#endif
