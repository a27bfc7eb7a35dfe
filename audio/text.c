#include "audio/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum kws_status read_all(FILE *f, char **text, size_t *len, const char *path, size_t most,
				kws_error *err)
{
	size_t cap = 0, got = 1;
	for (*len = 0; got && *len <= most; *len += got) {
		if (*len + 1 >= cap) {
			cap = cap ? 2 * cap : 8192;
			char *more = realloc(*text, cap);
			if (!more)
				return kws_fail(err, KWS_ERR_NOMEM, "%s: out of memory", path);
			*text = more;
		}
		got = fread(*text + *len, 1, cap - 1 - *len, f);
	}
	if (ferror(f))
		return kws_fail(err, KWS_ERR_IO, "%s: %s", path, strerror(errno));
	if (*len > most)
		return kws_fail(err, KWS_ERR_FORMAT, "%s: longer than %zu bytes", path, most);
	return KWS_OK;
}

enum kws_status kws_text_read(char **text, size_t *len, const char *path, size_t most,
			      kws_error *err)
{
	*text = NULL;
	FILE *f = fopen(path, "rbe");
	if (!f)
		return kws_fail(err, KWS_ERR_IO, "%s: %s", path, strerror(errno));
	const enum kws_status s = read_all(f, text, len, path, most, err);
	fclose(f);
	if (s != KWS_OK) {
		free(*text);
		*text = NULL;
	}
	return s;
}
