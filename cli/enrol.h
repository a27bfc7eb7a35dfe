/* enrol.h - shared by the parts of `kws enrol`. */
#ifndef KWS_CLI_ENROL_H
#define KWS_CLI_ENROL_H

#include "audio/device.h"
#include "cli/base.h"
#include "cli/out.h"

/* One recording of the word. */
typedef struct {
	char *name; /* of the file, or "take 3" */
	float *pcm; /* (n,), mono */
	size_t n;
	unsigned rate_hz;
	bool kept; /* it is already in the folder next to the model */
} kws_spoken;

typedef struct {
	kws_spoken *all;    /* (n,) */
	size_t n, n_failed; /* n_failed: files that could not be read */
} kws_spoken_list;

/* Add a recording. Takes over pcm, and copies name. False: no memory. */
bool kws_spoken_add(kws_spoken_list *r, const char *name, float *pcm, size_t n, unsigned rate_hz,
		    bool kept);
void kws_spoken_free(kws_spoken_list *r);

/* Record takes of the word until there are `wanted' good ones, with prompts and a level meter on
 * stderr. Each is cut from the stream: from 0.5 s before the voice to 0.7 s after it. Bad takes are
 * repeated. Returns an exit status. */
int kws_record(kws_spoken_list *r, const kws_device_config *device, const char *word,
	       size_t wanted);

#endif
