#include "daemon/clips.h"

#include "runtime/cause.h"
#include "runtime/clock.h"
#include "runtime/log.h"
#include "runtime/worker.h"
#include "spot/event.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sndfile.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
	char name[KWS_CLIP_NAME];
	unsigned hz;
	size_t n;
	short pcm[];
} clip;

/* The worker's data. */
typedef struct {
	kws_conf_clips conf;
	bool failing;
	atomic_ulong written, failed, removed;
} writer;

struct kws_clips {
	writer *w;
	kws_worker *worker;
	kws_conf_clips conf;
	size_t max;	    /* samples of an item, at most */
	unsigned long lost; /* clips that were never queued */
	clip *item;
	float *pcm;
};

/* ---- names ---- */

/* Copy as much of text as fits. Other characters than letters and digits become _. */
static void plain(char *out, size_t size, const char *text)
{
	size_t k = 0;

	for (; k < size - 1 && text[k]; k++)
		out[k] = isalnum((unsigned char)text[k]) ? text[k] : '_';
	out[k] = 0;
}

void kws_clips_name(char name[KWS_CLIP_NAME], double wall, const char *listener, const char *word,
		    float score, bool near)
{
	char stamp[32], who[KWS_CONF_NAME], what[40], whole[160];
	size_t n = 0;

	kws_rfc3339(wall, stamp, sizeof stamp);
	for (size_t i = 0; stamp[i]; i++)
		if (stamp[i] != '-' && stamp[i] != ':')
			stamp[n++] = stamp[i];
	stamp[n] = 0;
	plain(who, sizeof who, listener);
	/* the whole name must fit */
	plain(what, *who ? 28 : sizeof what, word);
	snprintf(whole, sizeof whole, "%s-%s%s%s-%02d%s.wav", stamp, who, *who ? "-" : "", what,
		 (int)floorf(100.0f * score), near ? "-near" : "");
	snprintf(name, KWS_CLIP_NAME, "%.*s", KWS_CLIP_NAME - 1, whole);
}

static bool ends_in(const char *name, const char *end)
{
	size_t n = strlen(name), k = strlen(end);

	return n >= k && !strcmp(name + n - k, end);
}

static bool starts_as_ours(const char *name)
{
	static const char form[] = "00000000T000000.000Z-";

	for (size_t i = 0; form[i]; i++)
		if (form[i] == '0' ? !isdigit((unsigned char)name[i]) : name[i] != form[i])
			return false;
	return true;
}

static bool is_clip(const char *name)
{
	return strlen(name) < KWS_CLIP_NAME && starts_as_ours(name) && ends_in(name, ".wav");
}

/* A clip under its temporary name, ".NAME.part". */
static bool is_part(const char *name)
{
	return *name == '.' && strlen(name) < KWS_CLIP_NAME + 8 && starts_as_ours(name + 1)
	       && ends_in(name, ".wav.part");
}

/* ---- the worker ---- */

typedef struct {
	unsigned long long bytes;   /* of all clips, including unfinished ones */
	char oldest[KWS_CLIP_NAME]; /* by its name; "": there is none */
} folder;

/* The process that writes a clip holds a lock on it. One without a lock was left by a daemon that
 * was killed. */
static bool remove_if_left(int dir, const char *part)
{
	int fd = openat(dir, part, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	bool left = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 && unlinkat(dir, part, 0) == 0;

	if (fd >= 0)
		close(fd);
	return left;
}

static void look_around(int dir, folder *found)
{
	struct dirent *e;
	struct stat st;
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	memset(found, 0, sizeof *found);
	if (!d && fd >= 0)
		close(fd);
	while (d && (e = readdir(d))) {
		bool whole = is_clip(e->d_name), part = is_part(e->d_name);

		if ((!whole && !part) || fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0
		    || !S_ISREG(st.st_mode) || (part && remove_if_left(dir, e->d_name)))
			continue;
		found->bytes += (unsigned long long)st.st_size;
		if (whole && (!*found->oldest || strcmp(e->d_name, found->oldest) < 0))
			memcpy(found->oldest, e->d_name, strlen(e->d_name) + 1);
	}
	if (d)
		closedir(d);
}

static bool make_room(writer *w, int dir, unsigned long long bytes)
{
	unsigned long long quota = (unsigned long long)w->conf.quota_mb * 1000000;
	folder f;

	if (bytes > quota)
		return false;
	for (look_around(dir, &f); f.bytes + bytes > quota; look_around(dir, &f)) {
		if (!*f.oldest || unlinkat(dir, f.oldest, 0) != 0)
			return false;
		atomic_fetch_add(&w->removed, 1);
	}
	return true;
}

/* Each returns NULL, or the error. */

static const char *write_wav(int fd, const clip *c)
{
	SF_INFO info = { .samplerate = (int)c->hz,
			 .channels = 1,
			 .format = SF_FORMAT_WAV | SF_FORMAT_PCM_16 };
	SNDFILE *f = sf_open_fd(fd, SFM_WRITE, &info, 0);
	struct stat st;

	if (!f)
		return sf_strerror(NULL);
	sf_write_short(f, c->pcm, (sf_count_t)c->n);
	sf_close(f);
	/* libsndfile does not report all errors: check the size of the file */
	if (fstat(fd, &st) != 0 || (size_t)st.st_size < 44 + sizeof c->pcm[0] * c->n)
		return strerror(ENOSPC);
	return NULL;
}

static const char *keep_in(writer *w, int dir, const clip *c)
{
	char tmp[KWS_CLIP_NAME + 8];
	const char *why;
	int fd;

	if (!make_room(w, dir, 44 + sizeof c->pcm[0] * (unsigned long long)c->n))
		return "clips.quota_mb has no room for it";
	snprintf(tmp, sizeof tmp, ".%s.part", c->name);
	fd = openat(dir, tmp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	if (fd < 0)
		return kws_strerrno(errno);
	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		why = kws_strerrno(errno);
	else
		why = write_wav(fd, c);
	if (!why && renameat(dir, tmp, dir, c->name) != 0)
		why = kws_strerrno(errno);
	if (why)
		unlinkat(dir, tmp, 0);
	close(fd);
	return why;
}

static const char *keep(writer *w, const clip *c)
{
	int dir = open(w->conf.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const char *why;

	if (dir < 0)
		return kws_strerrno(errno);
	why = keep_in(w, dir, c);
	close(dir);
	return why;
}

/* Remove the unfinished clips of a daemon that was killed. */
static void begin(void *self)
{
	const writer *w = self;
	int dir = open(w->conf.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	folder f;

	if (dir < 0)
		return; /* the first clip will report the error */
	look_around(dir, &f);
	close(dir);
}

static void item(void *self, const void *it)
{
	writer *w = self;
	const clip *c = it;
	const char *why = keep(w, c);

	if (why && !w->failing)
		kws_log(KWS_LOG_ERROR, "clips: %s/%s: %s", w->conf.dir, c->name, why);
	if (!why && w->failing)
		kws_log(KWS_LOG_INFO, "clips: writing again");
	w->failing = why != NULL;
	atomic_fetch_add(why ? &w->failed : &w->written, 1);
}

static const kws_worker_ops ops = { begin, item, NULL, free };

/* ---- the main thread ---- */

static size_t longest(const kws_conf_clips *c, unsigned rate_hz)
{
	return (size_t)((unsigned long long)(c->pre_ms + c->post_ms + KWS_CONF_CLIP_WORD_MS)
			* rate_hz / 1000);
}

size_t kws_clips_history(const kws_conf_clips *c, unsigned rate_hz)
{
	return *c->dir ? longest(c, rate_hz) + rate_hz
		       : 0; /* one second more, because the decision comes after the word */
}

enum kws_status kws_clips_check(const kws_conf_clips *c, kws_error *err)
{
	struct stat st;
	kws_cause cause = { "" };

	if (!*c->dir)
		return KWS_OK;
	bool there = stat(c->dir, &st) == 0;
	if (there && !S_ISDIR(st.st_mode))
		return kws_fail(err, KWS_ERR_IO, "clips.dir: %s: is no folder", c->dir);
	if (!there || access(c->dir, W_OK | X_OK) != 0)
		return kws_fail(err, KWS_ERR_IO, "clips.dir: %s: %s", c->dir,
				kws_cause_of(&cause, errno, c->dir));
	return KWS_OK;
}

enum kws_status kws_clips_create(kws_clips **out, const kws_conf_clips *conf, unsigned most_hz,
				 kws_error *err)
{
	kws_clips *c = calloc(1, sizeof *c);
	writer *w = calloc(1, sizeof *w);
	enum kws_status status = kws_fail(err, KWS_ERR_NOMEM, "clips: out of memory");

	*out = NULL;
	if (!c || !w)
		goto fail;
	c->conf = w->conf = *conf;
	c->max = longest(conf, most_hz);
	size_t bytes = sizeof *c->item + c->max * sizeof c->item->pcm[0];
	c->item = calloc(1, bytes);
	c->pcm = calloc(c->max, sizeof *c->pcm);
	if (!c->item || !c->pcm)
		goto fail;
	status = kws_worker_create(&c->worker, "clips", &ops, w, bytes, conf->queue, err);
	if (status != KWS_OK)
		goto fail;
	c->w = w;
	*out = c;
	return KWS_OK;
fail:
	if (c) {
		free(c->item);
		free(c->pcm);
	}
	free(c);
	free(w);
	return status;
}

void kws_clips_stop(kws_clips *c, int timeout_ms, bool wait)
{
	if (!c)
		return;
	kws_worker_stop(c->worker, timeout_ms, wait);
	free(c->item);
	free(c->pcm);
	free(c);
}

void kws_clips_want(kws_clips *c, kws_clip_list *list, const char *name, uint64_t start,
		    uint64_t end)
{
	uint64_t pre = (uint64_t)c->conf.pre_ms * list->hz / 1000,
		 post = (uint64_t)c->conf.post_ms * list->hz / 1000;
	size_t max = longest(&c->conf, list->hz);

	if (list->n == KWS_CLIPS_WANTED || max > c->max) {
		c->lost++;
		return;
	}
	uint64_t from = start > pre ? start - pre : 0, to = end + post;
	if (to - from > max)
		from = to - max;
	list->wanted[list->n].from = from;
	list->wanted[list->n].to = to;
	snprintf(list->wanted[list->n].name, KWS_CLIP_NAME, "%s", name);
	list->n++;
}

static void take(kws_clips *c, const kws_clip_list *list, const kws_history *h, size_t i)
{
	uint64_t from = list->wanted[i].from,
		 to = list->wanted[i].to < h->end ? list->wanted[i].to : h->end;

	if (from < kws_history_begin(h))
		from = kws_history_begin(h);
	if (to <= from) { /* requested too late: the history has lost the sound */
		c->lost++;
		return;
	}
	c->item->n = (size_t)(to - from);
	c->item->hz = list->hz;
	memcpy(c->item->name, list->wanted[i].name, KWS_CLIP_NAME);
	kws_history_copy(h, from, c->item->n, c->pcm);
	for (size_t k = 0; k < c->item->n; k++) {
		float v = c->pcm[k] * 32768.0f;

		c->item->pcm[k] = (short)(v >= 32767.0f	   ? 32767
					  : v <= -32768.0f ? -32768
							   : lrintf(v));
	}
	kws_worker_push(c->worker, c->item);
}

void kws_clips_step(kws_clips *c, kws_clip_list *list, const kws_history *h, bool last)
{
	size_t left = 0;

	for (size_t i = 0; i < list->n; i++) {
		if (last || h->end >= list->wanted[i].to)
			take(c, list, h, i);
		else
			list->wanted[left++] = list->wanted[i];
	}
	list->n = left;
}

void kws_clips_stats_get(kws_clips *c, kws_clips_stats *st)
{
	st->written = atomic_load(&c->w->written);
	st->failed = atomic_load(&c->w->failed);
	st->removed = atomic_load(&c->w->removed);
	st->dropped = kws_worker_dropped(c->worker) + c->lost;
}
