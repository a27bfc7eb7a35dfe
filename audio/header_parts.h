/* header_parts.h - what the readers of headers share: numbers, chunks, and what stands behind sound. */
#ifndef KWS_AUDIO_HEADER_PARTS_H
#define KWS_AUDIO_HEADER_PARTS_H

#include "audio/header.h"

/* n <= 8 bytes, least significant first and last. */
static inline uint64_t kws_little(const unsigned char *p, size_t n)
{
	uint64_t v = 0;
	while (n--)
		v = v << 8 | p[n];
	return v;
}

static inline uint64_t kws_big(const unsigned char *p, size_t n)
{
	uint64_t v = 0;
	for (size_t i = 0; i < n; i++)
		v = v << 8 | p[i];
	return v;
}

/* The tape stands at a file of sound that has a header, which is not MP3. */
bool kws_header_file_here(kws_tape *t);

typedef struct {
	char id[5];
	uint64_t size; /* of its body, as claimed */
	size_t head;   /* bytes before the body */
	unsigned pad;  /* bodies are filled up to a multiple of that */
	uint64_t size_at;
} kws_chunk;

/* Four characters that can name a chunk. */
bool kws_chunk_printable(const unsigned char *p);

/* The head of a chunk at the tape's place, which stays. false: there is none. */
bool kws_chunk_look(enum kws_kind kind, kws_tape *t, kws_chunk *c);

/* Bytes of its body with what fills it up. */
uint64_t kws_chunk_padded(const kws_chunk *c);

/* From its head to the next. false: it is longer than the tape. */
bool kws_chunk_skip(kws_tape *t, const kws_chunk *c);

#endif
