/* text.h - the whole of a small text file: the lists that go with recordings. */
#ifndef KWS_AUDIO_TEXT_H
#define KWS_AUDIO_TEXT_H

#include "kws.h"

/* Read the file, of at most most bytes, into *text, malloc'ed for the caller, with room for one byte
 * behind *len. *text is NULL on failure: KWS_ERR_IO, KWS_ERR_FORMAT when it is longer, KWS_ERR_NOMEM; the error begins
 * with the path. */
enum kws_status kws_text_read(char **text, size_t *len, const char *path, size_t most,
			      kws_error *err);

#endif
