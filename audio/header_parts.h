/* header_parts.h - shared by the readers of headers: numbers, chunks, and what follows sound. */
#ifndef KWS_AUDIO_HEADER_PARTS_H
#define KWS_AUDIO_HEADER_PARTS_H

#include "audio/header.h"

/* n <= 8 bytes, least significant byte first (little) or last (big). */
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

/* Whether a sound file with a header begins at the tape's position, other than MP3. */
bool kws_header_file_here(kws_tape *t);

typedef struct {
	char id[5];
	uint64_t size; /* claimed size of the body */
	size_t head;   /* bytes before the body */
	unsigned pad;  /* bodies are padded to a multiple of this */
	uint64_t size_at;
} kws_chunk;

/* Whether these four characters can name a chunk. */
bool kws_chunk_printable(const unsigned char *p);

/* Read the head of a chunk at the tape's position, which does not change. False: there is none. */
bool kws_chunk_look(enum kws_kind kind, kws_tape *t, kws_chunk *c);

/* Bytes of its body with padding. */
uint64_t kws_chunk_padded(const kws_chunk *c);

/* Move from its head to the next chunk. False: the chunk is longer than the tape. */
bool kws_chunk_skip(kws_tape *t, const kws_chunk *c);

#endif
