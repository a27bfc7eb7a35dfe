#include "daemon/clips.h"
#include "daemon/conf_table.h"

#include <string.h>

/* What may lie in buffers while others are slow, so that the unit's MemoryMax= has room for it
 * beside the largest model, twice. */
static void check_memory(kws_conf_told *t, const kws_conf *c)
{
	enum { MOST_MB = 288, KERNEL_KB = 208 }; /* the kernel's own buffer of a socket */
	double readers = 0.0;
	unsigned hz = c->audio[0].rate_hz ? c->audio[0].rate_hz : 192000,
		 ms = c->clips.pre_ms + c->clips.post_ms + KWS_CLIP_WORD_MS;
	double clips = *c->clips.dir ? c->clips.queue * 1e-3 * ms * hz * 2.0 / (1 << 20) : 0.0;

	for (size_t i = 0; i < c->n_socket; i++)
		if (*c->socket[i].path)
			readers += c->socket[i].clients / 1024.0
				   * (c->socket[i].buffer_kb + (double)KERNEL_KB);
	if (readers + clips <= MOST_MB)
		return;
	kws_conf_tell(
		t,
		"buffers would take %.0f MiB, at most %d: of each [socket] clients x (buffer_kb "
		"+ the kernel's %d) KiB: %.0f MiB; of [clips] queue = %u x %u ms at %u Hz: "
		"%.0f MiB",
		readers + clips, MOST_MB, KERNEL_KB, readers, c->clips.queue, ms, hz, clips);
}

static void check_audio(kws_conf_told *t, const kws_conf_audio *a)
{
	char title[KWS_CONF_TITLE];

	kws_conf_title("audio", a->name, title);
	if (a->rate_hz && a->rate_hz < 8000)
		kws_conf_tell(t, "%s rate_hz: %u is not 0 nor in 8000..192000", title, a->rate_hz);
	if (a->channels && a->channel > a->channels)
		kws_conf_tell(t, "%s channel: %u, but channels is %u", title, a->channel,
			      a->channels);
	if (a->backoff_ms > a->backoff_max_s * 1000)
		kws_conf_tell(t, "%s backoff_ms: %u is more than backoff_max_s, %u s", title,
			      a->backoff_ms, a->backoff_max_s);
}

/* The second of two sockets would take the first one's name away. */
static void check_names(kws_conf_told *t, const kws_conf *c)
{
	char one[KWS_CONF_TITLE], two[KWS_CONF_TITLE];

	for (size_t i = 0; i < c->n_socket; i++)
		for (size_t k = 0; k < i; k++)
			if (*c->socket[i].path && !strcmp(c->socket[i].path, c->socket[k].path))
				kws_conf_tell(t, "%s path: %s is that of %s, too",
					      kws_conf_title("socket", c->socket[i].name, two),
					      c->socket[i].path,
					      kws_conf_title("socket", c->socket[k].name, one));
}

int kws_conf_check(const kws_conf *c, const char *name, kws_conf_error_fn *fn, void *ctx)
{
	kws_conf_told told = { .name = name, .fn = fn, .ctx = ctx };

	for (size_t i = 0; i < c->n_audio; i++)
		check_audio(&told, &c->audio[i]);
	check_memory(&told, c);
	check_names(&told, c);
	return told.errors;
}
