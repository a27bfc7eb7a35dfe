/* sound.h - sounds that change twice a second, so that a random network changes its mind. */
#ifndef KWS_TEST_SOUND_H
#define KWS_TEST_SOUND_H

#include <math.h>
#include <stddef.h>
#include <stdlib.h>

/* Tones and noise into pcm (n,); another seed is another sound. */
static inline void sound(float *pcm, size_t n, unsigned in_hz, unsigned seed)
{
	float gain = 0.1f, step = 0.01f, noise = 0.5f;
	srand(seed);
	for (size_t i = 0; i < n; i++) {
		if (i % (in_hz / 2) == 0) {
			gain = powf(10.0f, (float)(rand() % 60 - 60) / 20.0f);
			step = 6.2832f * (100.0f + (float)(rand() % 3000)) / (float)in_hz;
			noise = (float)(rand() % 100) / 100.0f;
		}
		pcm[i] = gain * sinf(step * (float)(i % in_hz))
			 + gain * noise * ((float)rand() / (float)RAND_MAX - 0.5f);
	}
}

#endif
