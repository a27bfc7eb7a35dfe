/* scope.h - what an ear hears just now, for those who look at it: scores, mel bands and levels of the last
 * second, and the line of JSON that tells of them.
 *
 * Nobody needs to look: what is not added costs nothing. Allocates nothing after create. */
#ifndef KWS_DAEMON_SCOPE_H
#define KWS_DAEMON_SCOPE_H

#include "kws.h"

#include <stdbool.h>

enum kws_scope_kind { KWS_SCOPE_SCORES, KWS_SCOPE_LEVELS, KWS_SCOPE_MEL, KWS_SCOPE_KINDS };
enum { KWS_SCOPE_NAME = 32, KWS_SCOPE_ROWS = 100 };

typedef struct kws_scope kws_scope;

/* Of the spotter of this name on the listener of this name ("": they have none), whose model is m. */
enum kws_status kws_scope_create(kws_scope **out, const char *listener, const char *spotter,
				 const kws_model *m, kws_error *err);
void kws_scope_destroy(kws_scope *t);

const char *kws_scope_listener(const kws_scope *t);
const char *kws_scope_spotter(const kws_scope *t);

/* One more row of a kind: scores (n_words,), a mean square, bands (n_mels,). since: whenever it is
 * another than before, what was added before counts no more. Returns how many rows there have been
 * since then. */
uint64_t kws_scope_add(kws_scope *t, enum kws_scope_kind kind, unsigned since, const float *row);

/* The beginning of a line, up to a } that is missing, of the last n rows, 1..KWS_SCOPE_ROWS, of which there
 * MUST be so many: the highest score of each word, the mean of the power, or of each band. time_s: when
 * the last of them ended. Behind it, there is room for KWS_SCOPE_TAIL bytes. It lives until the next. */
enum { KWS_SCOPE_TAIL = 64 };
char *kws_scope_line(kws_scope *t, enum kws_scope_kind kind, size_t n, double time_s, size_t *len);

#endif
