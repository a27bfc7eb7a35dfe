/* building.h - a bank while it is built: recordings become rows of an embedding, and sounds. */
#ifndef KWS_CLI_BUILDING_H
#define KWS_CLI_BUILDING_H

#include "cli/out.h"
#include "spot/bank.h"
#include "spot/embedder.h"

typedef struct {
	kws_embedder *embedder;
	unsigned rate_hz;
	signed char *rows; /* (n, row_bytes) */
	size_t n, room, dim, row_bytes;
	struct {
		signed char *frames; /* (n, n_mels) */
		size_t n, room;
	} sounds[KWS_BANK_SOUNDS];
	size_t n_mels;
	float *values; /* (KWS_BUILDING_ROWS, the values of a row and of its frames): a piece */
	json_t *parts;
	bool failed; /* some recording could not be read */
} kws_building;

/* The embedder is the caller's. False: no memory, and reported; end it in any case. */
bool kws_building_begin(kws_building *b, kws_embedder *e, unsigned rate_hz);
void kws_building_end(kws_building *b);

/* Add a recording of any length, in constant memory, behind the earlier audio of the part. One that
 * cannot be read, or only in part, is reported. False: do not go on; reported. */
bool kws_building_file(kws_building *b, const char *path);

/* Add a recording to the frames of a sound. */
bool kws_building_sound(kws_building *b, enum kws_bank_sound which, const char *path);

/* What was added since row `first' is a part of this name. */
void kws_building_part(kws_building *b, const char *name, size_t first, bool judge);

/* Add all that is in another bank with the same base. False: failed, and reported. */
bool kws_building_bank(kws_building *b, const char *path, const char *base);

/* The bytes of the bank, for the caller to free(). NULL: failed, and reported. */
unsigned char *kws_building_bytes(const kws_building *b, const char *base, const char *note,
				  size_t *len);

#endif
