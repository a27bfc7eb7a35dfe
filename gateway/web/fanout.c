#include "gateway/web/fanout.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct kws_fanout {
	size_t bytes;
	uint64_t end; /* bytes put so far */
	char ring[];
};

enum kws_status kws_fanout_create(kws_fanout **out, size_t bytes, kws_error *err)
{
	kws_fanout *f = calloc(1, sizeof *f + bytes);

	*out = f;
	if (!f)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	f->bytes = bytes;
	return KWS_OK;
}

void kws_fanout_destroy(kws_fanout *f)
{
	free(f);
}

/* How many of n bytes lie in one piece from here. */
static size_t run(const kws_fanout *f, uint64_t at, size_t n)
{
	const size_t left = f->bytes - (size_t)(at % f->bytes);

	return left < n ? left : n;
}

void kws_fanout_put(kws_fanout *f, const char *text, size_t n)
{
	const size_t first = run(f, f->end, n);

	assert(n <= f->bytes / 2);
	memcpy(f->ring + f->end % f->bytes, text, first);
	memcpy(f->ring, text + first, n - first);
	f->end += n;
}

uint64_t kws_fanout_end(const kws_fanout *f)
{
	return f->end;
}

ssize_t kws_fanout_read(const kws_fanout *f, uint64_t *at, char *out, size_t n)
{
	const uint64_t waiting = f->end - *at;

	if (waiting > f->bytes)
		return -1;
	if (n > waiting)
		n = (size_t)waiting;
	n = run(f, *at, n);
	memcpy(out, f->ring + *at % f->bytes, n);
	*at += n;
	return (ssize_t)n;
}
