/* tape.h - a sequence of bytes from a file, a pipe or another tape, with a short memory: one can
 * look ahead and go back a little, even where the source cannot.
 *
 * Constant memory, nothing allocated after create. One thread at a time. */
#ifndef KWS_AUDIO_TAPE_H
#define KWS_AUDIO_TAPE_H

#include "kws.h"

#include <stdbool.h>
#include <stddef.h>

enum {
	KWS_TAPE_AHEAD = 1 << 17, /* bytes that one can look ahead */
	KWS_TAPE_BACK = 1 << 16	  /* bytes that one can always go back */
};

/* Supply up to n > 0 bytes. Returns how many, 0 at the end. */
typedef size_t (*kws_tape_pull)(void *from, unsigned char *bytes, size_t n);

typedef struct kws_tape kws_tape;

/* Read from fd, which stays the caller's, from its offset on. A regular file is read without moving
 * the offset, up to its size at this moment. NULL: out of memory. */
kws_tape *kws_tape_open(int fd);

/* Read the bytes that pull supplies. NULL: out of memory. */
kws_tape *kws_tape_from(kws_tape_pull pull, void *from);
void kws_tape_close(kws_tape *t);

/* When quit is readable, waiting for fd ends as if the bytes had ended. */
void kws_tape_quit_on(kws_tape *t, int quit);

/* Total bytes; KWS_TAPE_ENDLESS: unknown, as for a pipe. */
#define KWS_TAPE_ENDLESS UINT64_MAX
uint64_t kws_tape_size(const kws_tape *t);

uint64_t kws_tape_at(const kws_tape *t);

/* Let the tape end at `end' for all functions below, until another end is set. KWS_TAPE_ENDLESS:
 * its real end. */
void kws_tape_end_at(kws_tape *t, uint64_t end);
uint64_t kws_tape_end(const kws_tape *t);

/* Look at the next bytes: at most n <= KWS_TAPE_AHEAD, fewer only at the end. Waits for them. The
 * pointer is valid until the next call. Returns how many. */
size_t kws_tape_peek(kws_tape *t, unsigned char **bytes, size_t n);

/* Read n bytes; fewer only at the end. */
size_t kws_tape_read(kws_tape *t, unsigned char *bytes, size_t n);

/* Read what is there, at most n > 0 bytes; waits only for the first. 0: the end. */
size_t kws_tape_some(kws_tape *t, unsigned char *bytes, size_t n);

/* Whether a byte can be read without waiting for fd. */
bool kws_tape_ready(const kws_tape *t);

/* Skip n bytes. False: the tape ends before. */
bool kws_tape_skip(kws_tape *t, uint64_t n);

/* Go to a position: any in a file, otherwise at most KWS_TAPE_BACK bytes back. False: it is not
 * possible, and nothing has changed. */
bool kws_tape_seek(kws_tape *t, uint64_t at);

/* errno of the failed read that ended the tape; 0: none failed. */
int kws_tape_error(const kws_tape *t);

#endif
