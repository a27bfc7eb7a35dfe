/* reader.h - cuts the bytes that a Wyoming client sends into events.
 *
 * An event is one line of JSON, the header; then data_length bytes of JSON, the data; then
 * payload_length bytes. The header may have data, too; the data proper override it. The bytes may
 * be cut anywhere. Only a header and its data are kept until they are whole, the payload passes
 * through. */
#ifndef KWS_WYOMING_READER_H
#define KWS_WYOMING_READER_H

#include "kws.h"

#include <jansson.h>

/* The longest header, with its line feed; the longest data and payload; bytes. */
enum {
	KWS_READER_HEADER = 64 * 1024,
	KWS_READER_DATA = 64 * 1024,
	KWS_READER_PAYLOAD = 1024 * 1024
};

enum { KWS_READER_TYPE = 64 };

typedef struct {
	char *text; /* (room,) header or data so far */
	size_t n, room;
	json_t *data; /* of the event that was read last */
	char type[KWS_READER_TYPE];
	size_t data_left, payload_left;
	bool failed;
} kws_reader;

enum kws_read {
	KWS_READ_MORE,	  /* all bytes are used: more are needed */
	KWS_READ_EVENT,	  /* r->type, r->data (an object) and r->payload_left bytes to come */
	KWS_READ_PAYLOAD, /* a part of the payload, and r->payload_left bytes to come */
	KWS_READ_BAD	  /* err says why; every further call says the same */
};

/* All zero is a reader that has read nothing; nothing is allocated until bytes come. */
void kws_reader_free(kws_reader *r);

/* Read bytes (n,) up to the end of one event's data or one part of a payload. *used: how many bytes
 * were read. part (*n_part,): for KWS_READ_PAYLOAD, inside bytes. What belongs to r lives until the
 * next call. A blank line is skipped. Costs at most one pass over the bytes and over one header with
 * its data. */
enum kws_read kws_reader_next(kws_reader *r, const char *bytes, size_t n, size_t *used,
			      const char **part, size_t *n_part, kws_error *err);

#endif
