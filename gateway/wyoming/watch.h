/* watch.h - notices that a model file has changed. */
#ifndef KWS_WYOMING_WATCH_H
#define KWS_WYOMING_WATCH_H

#include "conf/conf.h"

#include <sys/types.h>
#include <time.h>

/* What tells one content of a file from another; all zero: there is no file. */
typedef struct {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec written;
} kws_watch_mark;

typedef struct {
	kws_watch_mark used[KWS_CONF_MODELS]; /* when the models were opened */
	kws_watch_mark seen[KWS_CONF_MODELS]; /* at the last look */
} kws_watch;

/* The models of c are about to be opened. */
void kws_watch_begin(kws_watch *w, const kws_conf *c);

/* Call it once a second or so. Whether the files should be opened again: one has changed since
 * begin, and none has since the last look, so that none is read half written. Looks at 16 files at
 * most; symbolic links are followed. */
bool kws_watch_look(kws_watch *w, const kws_conf *c);

#endif
