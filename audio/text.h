/* text.h - reads a whole small text file: the lists that go with recordings. */
#ifndef KWS_AUDIO_TEXT_H
#define KWS_AUDIO_TEXT_H

#include "kws.h"

/* Read the file of at most `most' bytes into *text, which the caller frees, with room for one byte
 * after *len. On failure *text is NULL: KWS_ERR_IO, KWS_ERR_FORMAT if the file is longer,
 * KWS_ERR_NOMEM. The error begins with the path. */
enum kws_status kws_text_read(char **text, size_t *len, const char *path, size_t most,
			      kws_error *err);

#endif
