#include "daemon/sink/sink.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

void kws_sink_init(kws_sink *s, const kws_sink_ops *ops, const kws_sink_kind *kind,
		   const char *name, int fd)
{
	*s = (kws_sink){ .ops = ops, .kind = kind, .fd = fd };
	snprintf(s->name, sizeof s->name, "%s", name);
	snprintf(s->label, sizeof s->label, "%s%s%s", kind->section, *name ? " " : "", s->name);
}

bool kws_sink_field(const kws_report *r, size_t i, char text[KWS_SINK_FIELD])
{
	char value[256];
	const char *name;
	int at;

	if (!kws_report_field(r, i, &name, value, sizeof value))
		return false;
	at = snprintf(text, KWS_SINK_FIELD, "KWS_%s=", name);
	for (int k = 4; k < at; k++)
		text[k] = (char)toupper((unsigned char)text[k]);
	snprintf(text + at, KWS_SINK_FIELD - (size_t)at, "%s", value);
	return true;
}

enum kws_status kws_sink_open(kws_sink *s, kws_sink *live, kws_error *err)
{
	return s->ops->open(s, live, err);
}

void kws_sink_push(kws_sink *s, const kws_report *r)
{
	s->ops->push(s, r);
}

void kws_sink_stats_get(kws_sink *s, kws_sink_stats *st)
{
	memset(st, 0, sizeof *st);
	st->kind = s->kind->section;
	st->name = s->name;
	s->ops->stats(s, st);
}

int kws_sink_fd(const kws_sink *s)
{
	return s->fd;
}

void kws_sink_serve(kws_sink *s)
{
	if (s->ops->serve)
		s->ops->serve(s);
}

void kws_sink_stop(kws_sink *s, int timeout_ms, bool wait)
{
	if (s)
		s->ops->stop(s, timeout_ms, wait);
}
