/* session.h - what one Wyoming client and the server say to each other: bytes in, bytes out.
 *
 * No sockets and no clock. The client's events are answered in their order: an event waits until
 * the audio before it has been heard. See kwsd-wyoming(8) for the events.
 *
 * Two threads may share the work: kws_session_hear(), and kws_session_destroy() of a session that
 * has ears, belong to one for all sessions; the rest may belong to another, but not for the same
 * session at the same time. */
#ifndef KWS_WYOMING_SESSION_H
#define KWS_WYOMING_SESSION_H

#include "gateway/wyoming/reply.h"
#include "gateway/wyoming/wake.h"

typedef struct kws_session kws_session;

/* Takes a share of r. NULL: out of memory. */
kws_session *kws_session_create(kws_roster *r);
void kws_session_destroy(kws_session *s);

/* From the next event and the next audio on, the words are those of r. */
void kws_session_change(kws_session *s, kws_roster *r);
const kws_roster *kws_session_roster(const kws_session *s); /* the latest */

/* Where bytes of the client may be written, *room of them; 0: none before those that were given are
 * used up. Then say how many there are. */
char *kws_session_room(kws_session *s, size_t *room);
void kws_session_give(kws_session *s, size_t n);
/* The client sends nothing more. */
void kws_session_close(kws_session *s);

enum kws_session_next {
	KWS_SESSION_WAIT, /* for bytes */
	KWS_SESSION_TURN, /* it has had its turn; call step again when others have had theirs */
	KWS_SESSION_HEAR, /* call kws_session_hear(), then step again */
	KWS_SESSION_OVER  /* nothing more will come; send what waits, then hang up */
};

/* Handle what the client has sent, at most some events of it. */
enum kws_session_next kws_session_step(kws_session *s);

/* Do for s (n,), at most KWS_WAKE_TOGETHER, what takes ears: begin or end a stream, take other words,
 * hear a block of audio. It is faster than one by one. Step MUST have returned KWS_SESSION_HEAR for
 * each. */
void kws_session_hear(kws_session *const *s, size_t n);
bool kws_session_has_ears(const kws_session *s); /* audio has begun, now or once */

bool kws_session_streams(const kws_session *s); /* whether it is within audio */
/* What waits to be sent. Call step only when it is empty: a client that does not read is not
 * listened to either. */
kws_out *kws_session_out(kws_session *s);
/* Why the session is over, if the client is to blame, else "". */
const char *kws_session_fault(const kws_session *s);

#endif
