#include "daemon/clips.h"
#include "daemon/conf_table.h"

#include <string.h>

/* What may lie in buffers while others are slow, so that the unit's MemoryMax= has room for it
 * beside the largest model, twice. */
static void check_memory(kws_conf_told *t, const kws_conf *c)
{
	enum { MOST_MB = 288, KERNEL_KB = 208 }; /* the kernel's own buffer of a socket */
	const kws_conf_socket *s = &c->socket[0];
	unsigned hz = c->audio[0].rate_hz ? c->audio[0].rate_hz : 192000,
		 ms = c->clips.pre_ms + c->clips.post_ms + KWS_CLIP_WORD_MS;
	double readers = *s->path ? s->clients / 1024.0 * (s->buffer_kb + (double)KERNEL_KB) : 0.0;
	double clips = *c->clips.dir ? c->clips.queue * 1e-3 * ms * hz * 2.0 / (1 << 20) : 0.0;

	if (readers + clips <= MOST_MB)
		return;
	kws_conf_tell(
		t,
		"buffers would take %.0f MiB, at most %d: socket.clients = %u x "
		"(socket.buffer_kb = %u "
		"+ the kernel's %d) KiB: %.0f MiB; clips.queue = %u x %u ms at %u Hz: %.0f MiB",
		readers + clips, MOST_MB, s->clients, s->buffer_kb, KERNEL_KB, readers,
		c->clips.queue, ms, hz, clips);
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

int kws_conf_check(const kws_conf *c, const char *name, kws_conf_error_fn *fn, void *ctx)
{
	kws_conf_told told = { .name = name, .fn = fn, .ctx = ctx };

	for (size_t i = 0; i < c->n_audio; i++)
		check_audio(&told, &c->audio[i]);
	check_memory(&told, c);
	return told.errors;
}
