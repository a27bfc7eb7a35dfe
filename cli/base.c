#include "cli/base.h"

#include "audio/source.h"
#include "cli/out.h"
#include "cli/replace.h"
#include "find_model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 1 << 16 };

void kws_base_find(const char *wanted, const char *name, char *path, size_t n)
{
	if (wanted)
		snprintf(path, n, "%s", wanted);
	else
		kws_find_shipped(name, path, n);
}

bool kws_base_read(kws_blob *blob, const char *path)
{
	kws_error err = { "" };
	if (kws_blob_open(blob, path, &err) == KWS_OK)
		return true;
	kws_out_complain("%s: %s", path, err.text);
	return false;
}

static bool more_room(float **pcm, size_t *room, size_t want)
{
	if (want <= *room)
		return true;
	const size_t now = 2 * want;
	float *larger = realloc(*pcm, now * sizeof *larger);
	if (!larger)
		return false;
	*pcm = larger;
	*room = now;
	return true;
}

/* Read to the end, or until there are more than most samples. False: failed, and reported. */
static bool read_all(kws_source *src, const char *path, size_t most, float **pcm, size_t *n)
{
	kws_error err = { "" };
	size_t room = 0, got = 1;
	while (got && *n <= most) {
		if (!more_room(pcm, &room, *n + PIECE)) {
			kws_out_complain("%s: %s", path, kws_strerror(KWS_ERR_NOMEM));
			return false;
		}
		const enum kws_status status = kws_source_read(src, *pcm + *n, PIECE, &got, &err);
		*n += got;
		if (status) {
			kws_out_complain_of(path, err.text);
			return false;
		}
	}
	return true;
}

bool kws_base_hear(const char *path, int channel, unsigned most_s, float **pcm, size_t *n,
		   unsigned *rate_hz)
{
	kws_source *src;
	kws_error err = { "" };
	*pcm = NULL;
	*n = 0;
	if (kws_source_open_file(&src, path, channel, &err) != KWS_OK) {
		kws_out_complain_of(path, err.text);
		return false;
	}
	*rate_hz = kws_source_rate(src);
	bool good = read_all(src, path, (size_t)most_s * *rate_hz, pcm, n);
	if (good && *n > (size_t)most_s * *rate_hz) {
		kws_out_complain("%s: longer than %u s", path, most_s);
		good = false;
	} else if (good && !*n) {
		kws_out_complain("%s: no sound in it", path);
		good = false;
	}
	kws_source_close(src);
	if (!good) {
		free(*pcm);
		*pcm = NULL;
	}
	return good;
}

bool kws_base_write(const char *path, const void *bytes, size_t len)
{
	kws_replace file;
	if (!kws_replace_open(&file, path))
		return false;
	const bool written = fwrite(bytes, 1, len, file.to) == len;
	if (!written)
		kws_out_complain("%s: %s", path, strerror(errno));
	return kws_replace_finish(&file, written);
}

void kws_base_temporary(char path[KWS_BASE_PATH], const char *what)
{
	const char *tmp = getenv("TMPDIR");
	snprintf(path, KWS_BASE_PATH, "%s/kws-%s-XXXXXX", tmp && *tmp ? tmp : "/tmp", what);
}
