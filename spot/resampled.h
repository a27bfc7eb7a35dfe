/* resampled.h - a whole recording at another rate. */
#ifndef KWS_SPOT_RESAMPLED_H
#define KWS_SPOT_RESAMPLED_H

#include "kws.h"

/* pcm (n,) at in_hz -> *out (*n_out,) at out_hz, for the caller to free(). Samples that are not
 * finite count as 0. KWS_ERR_NOMEM. */
enum kws_status kws_resampled(const float *pcm, size_t n, unsigned in_hz, unsigned out_hz,
			      float **out, size_t *n_out);

#endif
