#include "audio/tape.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Room for going back and for looking ahead. */
enum { ROOM = KWS_TAPE_BACK + KWS_TAPE_AHEAD };

struct kws_tape {
	kws_tape_pull pull; /* NULL: fd */
	void *from;
	int fd, quit; /* quit -1: none */
	int error;
	bool file, ended;
	off_t first;	/* offset in the file where the tape begins */
	uint64_t size;	/* KWS_TAPE_ENDLESS: unknown */
	uint64_t limit; /* set by kws_tape_end_at */
	uint64_t low;	/* position of room[0] */
	size_t at, n;	/* in room: the next byte; the number of bytes */
	unsigned char room[ROOM];
};

static kws_tape *make(void)
{
	kws_tape *t = malloc(sizeof *t);
	if (!t)
		return NULL;
	memset(t, 0, offsetof(kws_tape, room));
	t->fd = t->quit = -1;
	t->size = t->limit = KWS_TAPE_ENDLESS;
	return t;
}

kws_tape *kws_tape_open(int fd)
{
	struct stat st;
	kws_tape *t = make();
	if (!t)
		return NULL;
	t->fd = fd;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		const off_t first = lseek(fd, 0, SEEK_CUR);
		t->file = first >= 0;
		t->first = t->file ? first : 0;
		t->size = st.st_size > t->first ? (uint64_t)(st.st_size - t->first) : 0;
	}
	return t;
}

kws_tape *kws_tape_from(kws_tape_pull pull, void *from)
{
	kws_tape *t = make();
	if (t) {
		t->pull = pull;
		t->from = from;
	}
	return t;
}

void kws_tape_close(kws_tape *t)
{
	free(t);
}

void kws_tape_quit_on(kws_tape *t, int quit)
{
	t->quit = quit;
}

uint64_t kws_tape_size(const kws_tape *t)
{
	return t->size;
}

uint64_t kws_tape_at(const kws_tape *t)
{
	return t->low + t->at;
}

void kws_tape_end_at(kws_tape *t, uint64_t end)
{
	t->limit = end;
}

uint64_t kws_tape_end(const kws_tape *t)
{
	return t->limit < t->size ? t->limit : t->size;
}

int kws_tape_error(const kws_tape *t)
{
	return t->error;
}

/* Wait until fd is readable. False: told to quit, or cannot wait. */
static bool wait_for(const kws_tape *t)
{
	struct pollfd p[2] = { { .fd = t->fd, .events = POLLIN },
			       { .fd = t->quit, .events = POLLIN } };
	while (poll(p, t->quit < 0 ? 1 : 2, -1) < 0)
		if (errno != EINTR)
			return false;
	return t->quit < 0 || !p[1].revents;
}

static size_t from_fd(kws_tape *t, unsigned char *bytes, size_t n)
{
	for (;;) {
		if (t->quit >= 0 && !t->file && !wait_for(t))
			return 0;
		const uint64_t place = t->low + t->n;
		const ssize_t k = t->file ? pread(t->fd, bytes, n, t->first + (off_t)place)
					  : read(t->fd, bytes, n);
		if (k >= 0)
			return (size_t)k;
		if (errno == EINTR)
			continue;
		if ((errno != EAGAIN && errno != EWOULDBLOCK) || !wait_for(t)) {
			t->error = errno;
			return 0;
		}
	}
}

/* Add more bytes to the room, as many as come at once, at least one. False: the end. */
static bool more(kws_tape *t)
{
	if (t->at > KWS_TAPE_BACK && t->n == ROOM) {
		const size_t gone = t->at - KWS_TAPE_BACK;
		memmove(t->room, t->room + gone, t->n - gone);
		t->low += gone;
		t->at -= gone;
		t->n -= gone;
	}
	/* A file ends at the size that it had when the tape was opened. */
	const uint64_t left = t->size - (t->low + t->n);
	size_t want = ROOM - t->n;
	if (t->ended || want == 0 || left == 0)
		return false;
	/* a pipe's bytes need not be moved in memory for every few that come */
	if (want > left)
		want = (size_t)left;
	const size_t k =
		t->pull ? t->pull(t->from, t->room + t->n, want) : from_fd(t, t->room + t->n, want);
	t->n += k;
	t->ended = k == 0;
	return k > 0;
}

/* How many of n bytes come before the end that was set. */
static size_t up_to_end(const kws_tape *t, uint64_t n)
{
	const uint64_t at = kws_tape_at(t), left = t->limit > at ? t->limit - at : 0;
	return (size_t)(n < left ? n : left);
}

size_t kws_tape_peek(kws_tape *t, unsigned char **bytes, size_t n)
{
	n = up_to_end(t, n < KWS_TAPE_AHEAD ? n : KWS_TAPE_AHEAD);
	while (t->n - t->at < n && more(t))
		continue;
	*bytes = t->room + t->at;
	return t->n - t->at < n ? t->n - t->at : n;
}

size_t kws_tape_some(kws_tape *t, unsigned char *bytes, size_t n)
{
	n = up_to_end(t, n);
	if (n == 0 || (t->at == t->n && !more(t)))
		return 0;
	const size_t k = t->n - t->at < n ? t->n - t->at : n;
	memcpy(bytes, t->room + t->at, k);
	t->at += k;
	return k;
}

size_t kws_tape_read(kws_tape *t, unsigned char *bytes, size_t n)
{
	size_t total = 0, k;
	while (total < n && (k = kws_tape_some(t, bytes + total, n - total)) > 0)
		total += k;
	return total;
}

bool kws_tape_ready(const kws_tape *t)
{
	return t->file || t->ended || t->at < t->n;
}

bool kws_tape_skip(kws_tape *t, uint64_t n)
{
	const uint64_t at = kws_tape_at(t), end = kws_tape_end(t);
	if (n > (end > at ? end - at : 0))
		return false;
	if (t->file)
		return kws_tape_seek(t, at + n);
	while (n > 0) {
		unsigned char *bytes;
		const size_t k =
			kws_tape_peek(t, &bytes, n < KWS_TAPE_BACK ? (size_t)n : KWS_TAPE_BACK);
		if (k == 0)
			return false;
		t->at += k;
		n -= k;
	}
	return true;
}

bool kws_tape_seek(kws_tape *t, uint64_t at)
{
	if (at >= t->low && at <= t->low + t->n) {
		t->at = (size_t)(at - t->low);
		return true;
	}
	if (!t->file || at > t->size)
		return false;
	t->low = at;
	t->at = t->n = 0;
	t->ended = false;
	return true;
}
