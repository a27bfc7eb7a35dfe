/* tape.h - bytes in their order, from a file, a pipe or another tape, with a short memory: one can
 * look ahead, and go back a little, also where the source cannot.
 *
 * Constant memory, nothing allocated after create. One thread at a time. */
#ifndef KWS_AUDIO_TAPE_H
#define KWS_AUDIO_TAPE_H

#include "kws.h"

#include <stdbool.h>
#include <stddef.h>

enum {
	KWS_TAPE_AHEAD = 1 << 17, /* bytes that can be looked at ahead */
	KWS_TAPE_BACK = 1 << 16	  /* bytes that one can always go back */
};

/* Bring up to n > 0 bytes: how many came, 0 at the end. */
typedef size_t (*kws_tape_pull)(void *from, unsigned char *bytes, size_t n);

typedef struct kws_tape kws_tape;

/* The bytes of fd, which stays the caller's, from where it stands on: a regular file is read without
 * moving its offset, up to the size that it has now. NULL: out of memory. */
kws_tape *kws_tape_open(int fd);

/* The bytes that pull brings. NULL: out of memory. */
kws_tape *kws_tape_from(kws_tape_pull pull, void *from);
void kws_tape_close(kws_tape *t);

/* Waiting for fd ends, as if at the end of the bytes, as soon as quit can be read. */
void kws_tape_quit_on(kws_tape *t, int quit);

/* Bytes in all; KWS_TAPE_ENDLESS: not known, a pipe. */
#define KWS_TAPE_ENDLESS UINT64_MAX
uint64_t kws_tape_size(const kws_tape *t);

uint64_t kws_tape_at(const kws_tape *t);

/* The tape ends at `end` for all below, until another end is set; KWS_TAPE_ENDLESS: where it really
 * does. */
void kws_tape_end_at(kws_tape *t, uint64_t end);
uint64_t kws_tape_end(const kws_tape *t);

/* Look at the next bytes: at most n <= KWS_TAPE_AHEAD, fewer only at the end. Waits until they are
 * there. The pointer holds until the next call. Returns how many. */
size_t kws_tape_peek(kws_tape *t, unsigned char **bytes, size_t n);

/* Read n bytes, fewer only at the end. */
size_t kws_tape_read(kws_tape *t, unsigned char *bytes, size_t n);

/* Read what there is, at most n > 0 bytes; waits only for the first. 0: the end. */
size_t kws_tape_some(kws_tape *t, unsigned char *bytes, size_t n);

/* Can a byte be read without waiting for fd? */
bool kws_tape_ready(const kws_tape *t);

/* Leave n bytes out. false: it ends before. */
bool kws_tape_skip(kws_tape *t, uint64_t n);

/* Go to a place: in a file any, else up to KWS_TAPE_BACK bytes back. false: cannot, nothing has
 * changed. */
bool kws_tape_seek(kws_tape *t, uint64_t at);

/* errno of a read that failed, which ended the tape; 0: none did. */
int kws_tape_error(const kws_tape *t);

#endif
