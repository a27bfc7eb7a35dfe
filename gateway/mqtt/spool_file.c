#include "gateway/mqtt/spool_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* SUM: the length of a checksum. SLACK: bytes of lines without use that a file may have. */
enum { SUM = 8, BODY = 2 + SUM + 1, SLACK = 65536 };

static void put_sum(const char *body, size_t n, char sum[SUM + 1])
{
	uint8_t digest[SHA256_DIGEST_SIZE];
	struct sha256_ctx ctx;

	sha256_init(&ctx);
	sha256_update(&ctx, n, (const uint8_t *)body);
	sha256_digest(&ctx, sizeof digest, digest);
	for (int i = 0; i < SUM / 2; i++)
		snprintf(sum + 2 * (size_t)i, 3, "%02x", digest[i]);
}

/* s->record has a line without its sum, which is put in. */
static size_t finish(kws_spool *s, char kind, size_t n)
{
	char sum[SUM + 1];

	put_sum(s->record + BODY, n - BODY, sum);
	s->record[0] = kind;
	s->record[1] = s->record[BODY - 1] = ' ';
	memcpy(s->record + 2, sum, SUM);
	s->record[n] = '\n';
	return n + 1;
}

size_t kws_spool_write(kws_spool *s, uint64_t number, double time, const char *id, const char *text,
		       size_t n, size_t *at_text)
{
	*at_text = BODY
		   + (size_t)snprintf(s->record + BODY, sizeof s->record - BODY,
				      "%" PRIu64 " %.0f %s ", number, 1e3 * time, id);
	memcpy(s->record + *at_text, text, n);
	return finish(s, '+', *at_text + n);
}

/* ---- writing ---- */

bool kws_spool_append(kws_spool *s, const char *text, size_t n, bool sync)
{
	ssize_t k;
	int code;

	if (s->broken && !kws_spool_rewrite(s))
		return false;
	do
		k = pwrite(s->fd, text, n, s->end);
	while (k < 0 && errno == EINTR);
	if (k == (ssize_t)n && (!sync || fdatasync(s->fd) == 0)) {
		s->end += k;
		return true;
	}
	code = k >= 0 && k < (ssize_t)n ? ENOSPC : errno;
	/* no half of a line stays */
	s->broken = ftruncate(s->fd, s->end) != 0;
	errno = code;
	return false;
}

/* Remove lines without use, if there are many, or nothing else. */
static void shrink(kws_spool *s)
{
	if (s->n == s->in_memory && s->end > 0 && ftruncate(s->fd, 0) == 0) {
		s->end = 0;
		return;
	}
	if ((size_t)s->end > 2 * s->bytes + SLACK)
		kws_spool_rewrite(s);
}

void kws_spool_mark(kws_spool *s)
{
	const uint64_t up_to = s->n ? s->item[s->first].number - 1 : s->last;
	size_t n;

	if (s->fd < 0)
		return;
	shrink(s);
	if (up_to <= s->marked || s->end == 0)
		return;
	n = BODY + (size_t)snprintf(s->record + BODY, sizeof s->record - BODY, "%" PRIu64, up_to);
	/* if it fails, the next one will do; after a crash before that, events are sent twice */
	if (kws_spool_append(s, s->record, finish(s, '-', n), false))
		s->marked = up_to;
}

/* Copy the items that are in the file to fd. */
static bool copy_items(kws_spool *s, int fd)
{
	off_t at = 0;

	for (size_t i = 0; i < s->n - s->in_memory; i++) {
		const kws_spool_item *it = &s->item[s->first + i];

		if (pread(s->fd, s->record, it->n, it->at) != (ssize_t)it->n
		    || pwrite(fd, s->record, it->n, at) != (ssize_t)it->n)
			return false;
		at += (off_t)it->n;
	}
	return fsync(fd) == 0;
}

bool kws_spool_rewrite(kws_spool *s)
{
	char path[sizeof s->path + 8];
	int fd;

	snprintf(path, sizeof path, "%s.new", s->path);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	errno = 0;
	if (flock(fd, LOCK_EX | LOCK_NB) != 0 || !copy_items(s, fd) || rename(path, s->path) != 0) {
		const int code = errno ? errno : ENOSPC;

		unlink(path);
		close(fd);
		errno = code;
		return false;
	}
	close(s->fd);
	s->fd = fd;
	s->end = 0;
	for (size_t i = 0; i < s->n - s->in_memory; i++) {
		s->item[s->first + i].at = s->end;
		s->end += (off_t)s->item[s->first + i].n;
	}
	s->broken = false;
	return true;
}

/* ---- reading ---- */

/* Read the line (n,) of an event at this place of the file. */
static bool read_event(kws_spool *s, const char *line, size_t n, off_t at)
{
	kws_spool_item it = { .at = at, .n = n + 1 };
	char *end;
	const char *id;

	it.number = strtoull(line + BODY, &end, 10);
	if (*end != ' ')
		return false;
	it.time = 1e-3 * (double)strtoull(end, &end, 10);
	if (*end != ' ' || it.number <= s->last)
		return false;
	id = end + 1;
	end = memchr(id, ' ', n - (size_t)(id - line));
	if (!end || n + 1 > sizeof s->record)
		return false;
	it.id = kws_spool_hash(id, (size_t)(end - id));
	it.text = (size_t)(end + 1 - line);
	s->last = it.number;
	return kws_spool_push(s, &it);
}

static void read_mark(kws_spool *s, const char *line)
{
	const uint64_t up_to = strtoull(line + BODY, NULL, 10);

	for (; s->n && s->item[s->first].number <= up_to; s->first++, s->n--)
		s->bytes -= s->item[s->first].n;
	s->marked = up_to;
	if (up_to > s->last)
		s->last = up_to;
}

/* False: the line (n,), which ends with a 0, is damaged. */
static bool read_line(kws_spool *s, const char *line, size_t n, off_t at)
{
	char sum[SUM + 1];

	if (n <= BODY || line[1] != ' ' || line[BODY - 1] != ' ')
		return false;
	put_sum(line + BODY, n - BODY, sum);
	if (memcmp(line + 2, sum, SUM) != 0)
		return false;
	if (line[0] == '-')
		read_mark(s, line);
	return line[0] == '-' || (line[0] == '+' && read_event(s, line, n, at));
}

/* Returns the length of the lines that are complete. */
static size_t read_lines(kws_spool *s, char *text, size_t n)
{
	size_t at = 0;
	char *end;

	for (; (end = memchr(text + at, '\n', n - at)); at = (size_t)(end + 1 - text)) {
		*end = 0;
		if (read_line(s, text + at, (size_t)(end - text) - at, (off_t)at))
			continue;
		s->damaged++;
		s->broken = true;
	}
	return at;
}

/* Lock the file: one process at a time. The file may have been replaced since it was opened. */
static bool is_ours(const kws_spool *s)
{
	struct stat a, b;

	return flock(s->fd, LOCK_EX | LOCK_NB) == 0 && fstat(s->fd, &a) == 0
	       && stat(s->path, &b) == 0 && a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

enum kws_status kws_spool_load(kws_spool *s, kws_error *err)
{
	struct stat st;
	char *text;
	ssize_t n;

	s->fd = open(s->path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
	if (s->fd < 0 || fstat(s->fd, &st) != 0)
		return kws_fail(err, KWS_ERR_IO, "%s: %s", s->path, kws_strerrno(errno));
	if (!S_ISREG(st.st_mode))
		return kws_fail(err, KWS_ERR_IO, "%s: is not a file", s->path);
	if (!is_ours(s))
		return kws_fail(err, KWS_ERR_IO, "%s: another process uses it", s->path);
	text = malloc((size_t)st.st_size + 1);
	if (!text)
		return kws_fail(err, KWS_ERR_NOMEM, "%s: out of memory", s->path);
	n = pread(s->fd, text, (size_t)st.st_size, 0);
	if (n != (ssize_t)st.st_size) {
		free(text);
		return kws_fail(err, KWS_ERR_IO, "%s: %s", s->path,
				kws_strerrno(n < 0 ? errno : EIO));
	}
	s->end = (off_t)read_lines(s, text, (size_t)n);
	free(text);
	if (s->end < st.st_size) { /* the process died while it wrote the last line */
		s->damaged++;
		s->broken |= ftruncate(s->fd, s->end) != 0;
	}
	return KWS_OK;
}
