#include "spot/resampled.h"

#include "dsp/resample.h"

#include <math.h>
#include <stdlib.h>

enum { PIECE = 4096 };

static void take(kws_resample *rs, const float *pcm, size_t n, float *out, size_t *n_out)
{
	float good[PIECE];
	for (size_t k; n; n -= k, pcm += k) {
		k = n < PIECE ? n : PIECE;
		for (size_t i = 0; i < k; i++)
			good[i] = isfinite(pcm[i]) ? pcm[i] : 0.0f;
		*n_out += kws_resample_process(rs, good, k, out + *n_out);
	}
	*n_out += kws_resample_flush(rs, out + *n_out);
}

enum kws_status kws_resampled(const float *pcm, size_t n, unsigned in_hz, unsigned out_hz,
			      float **out, size_t *n_out)
{
	kws_resample *rs;
	*out = NULL;
	*n_out = 0;
	enum kws_status status = kws_resample_create(&rs, in_hz, out_hz);
	if (status)
		return status;
	const size_t most = kws_resample_bound(rs, n) + kws_resample_bound(rs, 0)
			    + (n / PIECE + 1) * kws_resample_bound(rs, 0);
	*out = calloc(most + 1, sizeof **out);
	if (*out)
		take(rs, pcm, n, *out, n_out);
	kws_resample_destroy(rs);
	return *out ? KWS_OK : KWS_ERR_NOMEM;
}
