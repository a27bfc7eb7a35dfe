/* enrol.h - what the parts of `kws enrol` share. */
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
	bool kept; /* it lies beside the model already */
} kws_spoken;

typedef struct {
	kws_spoken *all;    /* (n,) */
	size_t n, n_failed; /* files that could not be heard */
} kws_spoken_list;

/* One more; takes pcm, copies name. false: no memory. */
bool kws_spoken_add(kws_spoken_list *r, const char *name, float *pcm, size_t n, unsigned rate_hz,
		    bool kept);
void kws_spoken_free(kws_spoken_list *r);

/* Record so many good takes of the word, with prompts and a level meter on stderr. Each is cut
 * out of the stream: from half a second before the voice to half a second behind it. Returns an
 * exit status; false takes are said again. */
int kws_record(kws_spoken_list *r, const kws_device_config *device, const char *word,
	       size_t wanted);

#endif
