#include "gateway/wyoming/pcm.h"

#include <string.h>

enum kws_status kws_pcm_check(const kws_pcm_format *f, kws_error *err)
{
	if (f->rate_hz < KWS_PCM_RATE_MIN || f->rate_hz > KWS_PCM_RATE_MAX)
		return kws_fail(err, KWS_ERR_ARG, "rate: %u is not in %d..%d", f->rate_hz,
				KWS_PCM_RATE_MIN, KWS_PCM_RATE_MAX);
	if (f->width < 1 || f->width > KWS_PCM_WIDTH_MAX)
		return kws_fail(err, KWS_ERR_ARG, "width: %u is not in 1..%d", f->width,
				KWS_PCM_WIDTH_MAX);
	if (f->channels < 1 || f->channels > KWS_PCM_CHANNELS_MAX)
		return kws_fail(err, KWS_ERR_ARG, "channels: %u is not in 1..%d", f->channels,
				KWS_PCM_CHANNELS_MAX);
	return KWS_OK;
}

void kws_pcm_init(kws_pcm *p, const kws_pcm_format *f)
{
	*p = (kws_pcm){ .format = *f };
}

/* One channel's sample, as a fraction of full scale. */
static float sample_of(const unsigned char *b, unsigned width)
{
	uint32_t bits = 0;

	if (width == 1)
		return ((float)b[0] - 128.0f) / 128.0f;
	for (unsigned i = 0; i < width; i++) /* the last byte is the highest, and has the sign */
		bits |= (uint32_t)b[i] << 8 * (4 - width + i);
	return (float)(int32_t)bits / 2147483648.0f;
}

static float mean_of(const unsigned char *b, const kws_pcm_format *f)
{
	float sum = 0.0f;

	for (unsigned c = 0; c < f->channels; c++)
		sum += sample_of(b + c * f->width, f->width);
	return f->channels == 1 ? sum : sum / (float)f->channels;
}

size_t kws_pcm_take(kws_pcm *p, const char *bytes, size_t n, size_t *used, float *out, size_t room)
{
	const size_t frame = p->format.width * p->format.channels;
	const unsigned char *b = (const unsigned char *)bytes;
	size_t done = 0;

	*used = 0;
	while (done < room && *used < n) {
		if (!p->n_part && n - *used >= frame) {
			out[done++] = mean_of(b + *used, &p->format);
			*used += frame;
			continue;
		}
		p->part[p->n_part++] = b[(*used)++];
		if (p->n_part == frame) {
			out[done++] = mean_of(p->part, &p->format);
			p->n_part = 0;
		}
	}
	return done;
}
