#include "gateway/mqtt/spool_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* FNV-1a of 64 bits */
uint64_t kws_spool_hash(const char *id, size_t n)
{
	uint64_t h = 14695981039346656037u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)id[i]) * 1099511628211u;
	return h;
}

bool kws_spool_push(kws_spool *s, const kws_spool_item *it)
{
	if (s->first + s->n == s->room && s->first >= s->n && s->first > 0) {
		memmove(s->item, s->item + s->first, s->n * sizeof *s->item);
		s->first = 0;
	}
	if (s->first + s->n == s->room) {
		const size_t room = s->room ? 2 * s->room : 64;
		kws_spool_item *more = realloc(s->item, room * sizeof *more);

		if (!more)
			return false;
		s->item = more;
		s->room = room;
	}
	s->item[s->first + s->n++] = *it;
	s->bytes += it->n;
	s->in_memory += it->line != NULL;
	return true;
}

static void forget(kws_spool *s, kws_spool_item *it)
{
	s->bytes -= it->n;
	s->in_memory -= it->line != NULL;
	free(it->line);
}

/* Remove the oldest events that are done, and note it in the file. */
static void advance(kws_spool *s)
{
	size_t gone = 0;

	for (; s->n && s->item[s->first].done; gone++, s->first++, s->n--)
		forget(s, &s->item[s->first]);
	if (gone)
		kws_spool_mark(s);
}

/* Remove item i, wherever it stands. */
static void drop(kws_spool *s, size_t i)
{
	kws_spool_item *it = &s->item[s->first + i];

	if (i == 0) {
		it->done = true;
		advance(s);
		return;
	}
	forget(s, it);
	memmove(it, it + 1, (s->n - i - 1) * sizeof *it);
	s->n--;
}

enum kws_status kws_spool_open(kws_spool **out, const kws_spool_config *c, double wall,
			       kws_error *err)
{
	kws_spool *s = calloc(1, sizeof *s);
	enum kws_status status;

	*out = NULL;
	if (!s)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	s->fd = -1;
	s->most_bytes = c->most_bytes;
	s->most_age_s = c->most_age_s;
	snprintf(s->path, sizeof s->path, "%s", c->path);
	status = *s->path ? kws_spool_load(s, err) : KWS_OK;
	if (status != KWS_OK) {
		kws_spool_close(s);
		return status;
	}
	kws_spool_tidy(s, wall);
	for (; s->bytes > s->most_bytes; s->full++)
		drop(s, 0);
	*out = s;
	return KWS_OK;
}

void kws_spool_close(kws_spool *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n; i++)
		free(s->item[s->first + i].line);
	free(s->item);
	if (s->fd >= 0)
		close(s->fd);
	free(s);
}

static bool is_known(const kws_spool *s, uint64_t id)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->item[s->first + i].id == id)
			return true;
	for (size_t i = 0; i < s->n_recent && i < KWS_SPOOL_RECENT; i++)
		if (s->recent[i] == id)
			return true;
	return false;
}

/* Write what waits in memory to the file, in order. False: errno says why. */
static bool save(kws_spool *s)
{
	for (size_t i = s->n - s->in_memory; s->in_memory; i++) {
		kws_spool_item *it = &s->item[s->first + i];
		const off_t at = s->end;

		if (!kws_spool_append(s, it->line, it->n, true))
			return false;
		free(it->line);
		it->line = NULL;
		it->at = at;
		s->in_memory--;
	}
	return true;
}

static bool is_one_line(const char *text, size_t n)
{
	return n < KWS_SPOOL_LINE && !memchr(text, '\n', n) && !memchr(text, 0, n);
}

enum kws_status kws_spool_add(kws_spool *s, const char *id, const char *text, size_t n, double wall,
			      kws_error *err)
{
	kws_spool_item it = { .id = kws_spool_hash(id, strlen(id)), .time = wall };

	if (!*id || strlen(id) >= KWS_SPOOL_ID || strpbrk(id, " \n") || !is_one_line(text, n))
		return kws_fail(err, KWS_ERR_ARG, "an event that is no line with an id");
	if (is_known(s, it.id)) {
		s->repeated++;
		return KWS_OK;
	}
	it.number = s->last + 1;
	it.n = kws_spool_write(s, it.number, wall, id, text, n, &it.text);
	if (it.n > s->most_bytes)
		return kws_fail(err, KWS_ERR_ARG, "an event of %zu bytes: more than all may have",
				it.n);
	it.line = malloc(it.n);
	if (!it.line)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	memcpy(it.line, s->record, it.n);
	for (; s->bytes + it.n > s->most_bytes; s->full++)
		drop(s, 0);
	if (!kws_spool_push(s, &it)) {
		free(it.line);
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	}
	s->last++;
	if (s->fd >= 0 && save(s))
		return KWS_OK;
	const int code = errno;
	for (; s->in_memory > KWS_SPOOL_MEMORY; s->full++)
		drop(s, s->n - s->in_memory);
	return s->fd < 0 ? KWS_OK
			 : kws_fail(err, KWS_ERR_IO, "%s: %s", s->path, kws_strerrno(code));
}

/* Read item i. False: the disk does not give it back. */
static bool read_item(kws_spool *s, size_t i, kws_spool_event *out)
{
	const kws_spool_item *it = &s->item[s->first + i];
	const char *line = it->line ? it->line : s->record;

	if (!it->line && pread(s->fd, s->record, it->n, it->at) != (ssize_t)it->n)
		return false;
	*out = (kws_spool_event){ it->number, it->time, line + it->text, it->n - it->text - 1 };
	return true;
}

bool kws_spool_next(kws_spool *s, uint64_t after, kws_spool_event *out)
{
	size_t i = 0;

	while (i < s->n) {
		const kws_spool_item *it = &s->item[s->first + i];

		if (it->done || it->number <= after) {
			i++;
			continue;
		}
		if (read_item(s, i, out))
			return true;
		s->damaged++;
		drop(s, i);
	}
	return false;
}

void kws_spool_done(kws_spool *s, uint64_t number)
{
	for (size_t i = 0; i < s->n; i++) {
		kws_spool_item *it = &s->item[s->first + i];

		if (it->number != number || it->done)
			continue;
		s->recent[s->n_recent++ % KWS_SPOOL_RECENT] = it->id;
		it->done = true;
		advance(s);
		return;
	}
}

void kws_spool_tidy(kws_spool *s, double wall)
{
	/* a clock that was set back makes nothing old */
	while (s->n && wall - s->item[s->first].time > s->most_age_s) {
		s->old += !s->item[s->first].done;
		drop(s, 0);
	}
	if (s->fd < 0)
		return;
	if (s->broken)
		kws_spool_rewrite(s);
	save(s);
}

void kws_spool_stats_get(const kws_spool *s, kws_spool_stats *st)
{
	*st = (kws_spool_stats){ s->n,	  s->bytes, s->in_memory, s->repeated,
				 s->full, s->old,   s->damaged };
}
