#include "daemon/sinks.h"

#include "runtime/clock.h"
#include "conf/table.h"
#include "runtime/log.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define POINTER(name) &kws_sink_##name,
static const kws_sink_kind *const kinds[KWS_SINK_N_KINDS] = { KWS_SINK_KINDS(POINTER) };

/* A running or a new sink. sink NULL, only in new ones: the running one stays. */
typedef struct {
	const kws_sink_kind *kind;
	size_t size;
	void *conf;	  /* (size,) the section that it was made from */
	const char *name; /* of the section, in conf; "": it has none */
	kws_sink *sink;
} entry;

struct kws_sinks {
	int fd; /* of an epoll set; -1: not opened */
	entry at[KWS_SINKS_MOST];
	size_t n;
};

/* ---- create ---- */

static entry *find(kws_sinks *s, const entry *like)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->at[i].kind == like->kind && !strcmp(s->at[i].name, like->name))
			return &s->at[i];
	return NULL;
}

static enum kws_status add(kws_sinks *s, const kws_sink_kind *kind, const kws_conf_section *section,
			   const void *conf, kws_sinks *now, kws_error *err)
{
	entry *e = &s->at[s->n++];
	const entry *live;

	e->kind = kind;
	e->size = section->size;
	e->conf = malloc(e->size);
	if (!e->conf)
		return kws_fail(err, KWS_ERR_NOMEM, "%s: out of memory", kind->section);
	memcpy(e->conf, conf, e->size);
	e->name = kws_conf_repeats(section) ? e->conf : "";
	live = now ? find(now, e) : NULL;
	if (live && !memcmp(live->conf, conf, e->size))
		return KWS_OK;
	return kind->create(&e->sink, conf, err);
}

static enum kws_status add_all(kws_sinks *s, const kws_sink_kind *kind, const kws_conf *c,
			       kws_sinks *now, kws_error *err)
{
	const kws_conf_section *section = kws_conf_section_find(kind->section);
	enum kws_status status = KWS_OK;

	assert(section && section->max <= KWS_CONF_SINKS);
	for (size_t i = 0; i < kws_conf_count_of(c, section) && status == KWS_OK; i++) {
		const void *conf = kws_conf_at(c, section, i);

		if (kind->wanted ? kind->wanted(c, conf) : kws_conf_is_on(c, section, i))
			status = add(s, kind, section, conf, now, err);
	}
	return status;
}

enum kws_status kws_sinks_create(kws_sinks **out, const kws_conf *c, kws_sinks *now, kws_error *err)
{
	kws_sinks *s = calloc(1, sizeof *s);
	enum kws_status status = KWS_OK;

	*out = NULL;
	if (!s)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	s->fd = -1;
	for (size_t i = 0; i < KWS_SINK_N_KINDS && status == KWS_OK; i++)
		status = add_all(s, kinds[i], c, now, err);
	if (status != KWS_OK) {
		kws_sinks_stop(s, 0);
		return status;
	}
	*out = s;
	return KWS_OK;
}

/* ---- open and replace ---- */

/* Add the sink to the epoll set of s, and open it. */
static enum kws_status open_sink(const kws_sinks *s, kws_sink *sink, kws_sink *live, kws_error *err)
{
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = sink };
	const int fd = kws_sink_fd(sink);

	if (fd >= 0 && epoll_ctl(s->fd, EPOLL_CTL_ADD, fd, &e) != 0)
		return kws_fail(err, KWS_ERR_NOMEM, "%s: epoll: %s", sink->label,
				kws_strerrno(errno));
	return kws_sink_open(sink, live, err);
}

enum kws_status kws_sinks_open(kws_sinks *s, kws_error *err)
{
	enum kws_status status = KWS_OK;

	s->fd = epoll_create1(EPOLL_CLOEXEC);
	if (s->fd < 0)
		return kws_fail(err, KWS_ERR_NOMEM, "epoll: %s", kws_strerrno(errno));
	for (size_t i = 0; i < s->n && status == KWS_OK; i++)
		status = open_sink(s, s->at[i].sink, NULL, err);
	return status;
}

static void end(entry *e, int timeout_ms, bool wait)
{
	kws_sink_stop(e->sink, timeout_ms, wait);
	free(e->conf);
	memset(e, 0, sizeof *e);
}

/* Choose between old, which may be NULL, and next. Returns the one that runs from now on. *all
 * becomes false if next could not be opened. */
static entry choose(const kws_sinks *s, entry *old, entry *next, bool *all)
{
	kws_error err = { "" };
	entry chosen = *next;

	if (next->sink && open_sink(s, next->sink, old ? old->sink : NULL, &err) == KWS_OK)
		return chosen;
	if (next->sink) {
		kws_log(KWS_LOG_ERROR, "%s; %s stays as it was", err.text, next->sink->label);
		*all = false;
	}
	end(next, 0, true);
	if (!old)
		return *next;
	chosen = *old;
	memset(old, 0, sizeof *old);
	return chosen;
}

bool kws_sinks_swap(kws_sinks *now, kws_sinks *next, int timeout_ms)
{
	entry chosen[KWS_SINKS_MOST] = { 0 };
	size_t n = 0;
	bool all = true;

	for (size_t i = 0; i < next->n; i++) {
		chosen[n] = choose(now, find(now, &next->at[i]), &next->at[i], &all);
		n += chosen[n].sink != NULL;
	}
	for (size_t i = 0; i < now->n; i++)
		end(&now->at[i], timeout_ms, false);
	memcpy(now->at, chosen, n * sizeof chosen[0]);
	now->n = n;
	free(next);
	return all;
}

/* ---- running ---- */

void kws_sinks_push(kws_sinks *s, const kws_report *r)
{
	for (size_t i = 0; i < s->n; i++)
		kws_sink_push(s->at[i].sink, r);
}

bool kws_sinks_stats(const kws_sinks *s, size_t i, kws_sink_stats *st)
{
	if (i >= s->n)
		return false;
	kws_sink_stats_get(s->at[i].sink, st);
	return true;
}

int kws_sinks_fd(const kws_sinks *s)
{
	return s->fd;
}

void kws_sinks_serve(kws_sinks *s)
{
	struct epoll_event e[KWS_SINKS_MOST];
	int n = epoll_wait(s->fd, e, KWS_SINKS_MOST, 0);

	for (int i = 0; i < n; i++)
		kws_sink_serve(e[i].data.ptr);
}

void kws_sinks_stop(kws_sinks *s, int timeout_ms)
{
	const double until = kws_clock_mono() + 1e-3 * timeout_ms;

	if (!s)
		return;
	while (s->n) {
		const double left = until - kws_clock_mono();

		end(&s->at[--s->n], left > 0.0 ? (int)(1e3 * left) : 0, true);
	}
	if (s->fd >= 0)
		close(s->fd);
	free(s);
}
