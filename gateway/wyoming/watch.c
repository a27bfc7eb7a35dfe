#include "gateway/wyoming/watch.h"

#include <sys/stat.h>

static kws_watch_mark mark_of(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return (kws_watch_mark){ 0 };
	return (kws_watch_mark){ st.st_dev, st.st_ino, st.st_size, st.st_mtim };
}

static bool is_same(const kws_watch_mark *a, const kws_watch_mark *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size
	       && a->written.tv_sec == b->written.tv_sec
	       && a->written.tv_nsec == b->written.tv_nsec;
}

void kws_watch_begin(kws_watch *w, const kws_conf *c)
{
	for (size_t i = 0; i < c->n_model; i++)
		w->used[i] = w->seen[i] = mark_of(c->model[i].path);
}

bool kws_watch_look(kws_watch *w, const kws_conf *c)
{
	bool changed = false, still = true;

	for (size_t i = 0; i < c->n_model; i++) {
		const kws_watch_mark now = mark_of(c->model[i].path);

		changed |= !is_same(&now, &w->used[i]);
		still &= is_same(&now, &w->seen[i]);
		w->seen[i] = now;
	}
	return changed && still;
}
