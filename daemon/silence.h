/* silence.h - detects digital silence: a muted or dead device sends the same value again and again.
 * A working converter has noise. */
#ifndef KWS_DAEMON_SILENCE_H
#define KWS_DAEMON_SILENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
	unsigned limit_s; /* 0: off */
	float last;
	uint64_t constant; /* samples equal to the one before */
	double patience_s; /* until the next report; longer each time */
	bool silent;
} kws_silence;

enum kws_silence_news {
	KWS_SILENCE_NONE,
	KWS_SILENCE_LASTS, /* the same value for waited_s */
	KWS_SILENCE_OVER   /* there is sound again */
};

void kws_silence_init(kws_silence *s, unsigned limit_s);
void kws_silence_configure(kws_silence *s, unsigned limit_s);
void kws_silence_stream(kws_silence *s); /* a new stream: count from 0 again */

/* The next samples pcm (n,) of the stream, at hz. Reports LASTS after limit_s, then after twice as
 * long, and so on, up to an hour or limit_s if that is longer. */
enum kws_silence_news kws_silence_step(kws_silence *s, const float *pcm, size_t n, unsigned hz,
				       double *waited_s);

#endif
