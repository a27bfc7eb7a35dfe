/* cause.h - explains why a path cannot be used, and what to change: ownership, the sandbox of the
 * unit, a system call filter. */
#ifndef KWS_RUNTIME_CAUSE_H
#define KWS_RUNTIME_CAUSE_H

#include <sys/types.h>

typedef struct {
	char text[320];
} kws_cause;

/* err: errno of the failed call. Returns c->text. */
const char *kws_cause_of(kws_cause *c, int err, const char *path);
/* The same for a failed chown to a group. */
const char *kws_cause_of_group(kws_cause *c, int err, gid_t group);

#endif
