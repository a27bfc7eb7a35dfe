/* silence.h - digital silence: a device that sends one and the same value, muted or dead. A converter
 * that works has noise. */
#ifndef KWS_DAEMON_SILENCE_H
#define KWS_DAEMON_SILENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
	unsigned limit_s; /* 0: it never counts */
	float last;
	uint64_t constant; /* samples that equal the one before */
	double patience_s; /* until it is told; longer each time */
	bool silent;
} kws_silence;

enum kws_silence_news {
	KWS_SILENCE_NONE,
	KWS_SILENCE_LASTS, /* the same value for waited_s */
	KWS_SILENCE_OVER   /* sound again */
};

void kws_silence_init(kws_silence *s, unsigned limit_s);
void kws_silence_configure(kws_silence *s, unsigned limit_s);
void kws_silence_stream(kws_silence *s); /* a new stream: what came before is not counted on */

/* pcm (n,) at hz, more of the stream. LASTS is told after limit_s, then after twice as long, and so on up
 * to an hour or limit_s. */
enum kws_silence_news kws_silence_step(kws_silence *s, const float *pcm, size_t n, unsigned hz,
				       double *waited_s);

#endif
