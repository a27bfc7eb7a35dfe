/* enrol.h - shared by the parts of `kws enrol`. */
#ifndef KWS_CLI_ENROL_H
#define KWS_CLI_ENROL_H

#include "audio/device.h"
#include "cli/args.h"
#include "cli/base.h"
#include "cli/out.h"

/* ---- options ---- */

enum kws_enrol_what {
	KWS_ENROL_NEW,
	KWS_ENROL_ADD,
	KWS_ENROL_REFIT,
	KWS_ENROL_REMOVE,
	KWS_ENROL_LIST
};

typedef struct {
	const char *model, *out, *bank, *word, *device, *clips, *marks, *speak, *language;
	int channel; /* of files: 0: the mean of all */
	enum kws_enrol_what what;
	enum kws_format format;
	bool forget, only, has_seed, has_rate;
	unsigned seed, takes;
	double per_hour;
	kws_args_list inputs, right, wrong;
	char own[KWS_BASE_PATH]; /* the model file with the words */
} kws_enrol_args;

/* Ends the program if they are wrong. Free with kws_enrol_args_free(). */
void kws_enrol_args_parse(kws_enrol_args *a, int argc, char **argv);
void kws_enrol_args_free(kws_enrol_args *a);

/* ---- recordings ---- */

/* One recording. */
typedef struct {
	char *name; /* of the file, or "take 3" */
	enum kws_take_kind kind;
	float *pcm; /* (n,), mono */
	size_t n;
	unsigned rate_hz;
	bool kept; /* it is already in the folder next to the model */
	bool clip; /* it is kept under the name of its file, and not asked for again */
} kws_spoken;

typedef struct {
	kws_spoken *all;    /* (n,) */
	size_t n, n_failed; /* n_failed: files that could not be read */
} kws_spoken_list;

/* Add a recording. Takes over new->pcm, and copies name. False: no memory. */
bool kws_spoken_add(kws_spoken_list *r, const char *name, const kws_spoken *new);
void kws_spoken_free(kws_spoken_list *r);

/* Add the kept takes of all kinds. False: no memory, and reported. */
bool kws_spoken_kept(kws_spoken_list *r, const char *folder);

/* Collect the takes that the options ask for, after those of the list: files, clips with their
 * marks, synthetic voices, the microphone. folder: where takes of the word are kept. Returns an exit
 * status. */
int kws_spoken_gather(kws_spoken_list *r, const kws_enrol_args *a, const char *folder);

/* Write what is good and not in the folder yet. False: failed, and reported. */
bool kws_spoken_keep(const kws_enrol *e, const kws_spoken_list *r, const char *folder);

/* Give the takes to e. False: failed, and reported. */
bool kws_spoken_take(kws_enrol *e, const kws_spoken_list *r);

/* Record takes of the word until there are `wanted' good ones, with prompts and a level meter on
 * stderr. Each is cut from the stream: from 0.5 s before the voice to 0.7 s after it. Bad takes are
 * repeated. Returns an exit status. */
int kws_record(kws_spoken_list *r, const kws_device_config *device, const char *word,
	       size_t wanted);

/* ---- words ---- */

/* Create everything except the takes, for the base (len bytes). Returns an exit status. */
int kws_enrol_begin(kws_enrol **e, kws_bank **bank, const kws_enrol_args *a, const void *base,
		    size_t len);

/* Fit all words of the file again to their kept takes, on the base that the options name. Returns
 * an exit status. */
int kws_enrol_refit(const kws_enrol_args *a);

#endif
