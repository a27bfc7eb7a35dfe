/* peer.h - what a program of the comparison (bench/compare.py) is: it says who it is and what it can
 * measure, then reads the names of measurements from standard input and answers each with the
 * processor time, in seconds, that a second of audio took. */
#ifndef KWS_BENCH_PEER_H
#define KWS_BENCH_PEER_H

#include <stddef.h>

enum { KWS_PEER_RATE_HZ = 16000, KWS_PEER_HOP = 160, KWS_PEER_FRAME = 640 };

/* One measurement: run() processes all of the audio once, from the start of a stream. */
typedef struct {
	const char *name, *title;
	void (*run)(void *ctx);
} kws_peer_row;

/* Answer until standard input ends. seconds: of the audio. Returns an exit status. */
int kws_peer_serve(const char *version, const kws_peer_row *rows, size_t n, void *ctx,
		   double seconds);

/* Say that the peer is not here, and why. Returns an exit status. */
int kws_peer_missing(const char *why);

/* The samples of DIR/audio.raw: 16 bits, mono, KWS_PEER_RATE_HZ. NULL: the reason was printed. */
short *kws_peer_audio(const char *folder, size_t *n);

#endif
