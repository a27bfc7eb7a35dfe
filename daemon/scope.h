/* scope.h - scores, mel bands and levels of the last second of an ear, as lines of JSON for
 * subscribers.
 *
 * Without subscribers nothing is added, and it costs nothing. Allocates nothing after create. */
#ifndef KWS_DAEMON_SCOPE_H
#define KWS_DAEMON_SCOPE_H

#include "kws.h"

#include <stdbool.h>

enum kws_scope_kind { KWS_SCOPE_SCORES, KWS_SCOPE_LEVELS, KWS_SCOPE_MEL, KWS_SCOPE_KINDS };
enum { KWS_SCOPE_NAME = 32, KWS_SCOPE_ROWS = 100 };

typedef struct kws_scope kws_scope;

/* For the spotter of this name, with model m, on the listener of this name ("": no name). */
enum kws_status kws_scope_create(kws_scope **out, const char *listener, const char *spotter,
				 const kws_model *m, kws_error *err);
void kws_scope_destroy(kws_scope *t);

const char *kws_scope_listener(const kws_scope *t);
const char *kws_scope_spotter(const kws_scope *t);

/* Add a row of a kind: scores (n_words,), one mean square, or bands (n_mels,). If since differs
 * from the last call, older rows are forgotten. Returns the number of rows since then. */
uint64_t kws_scope_add(kws_scope *t, enum kws_scope_kind kind, unsigned since, const float *row);

/* A line for the last n rows, without its final }: the highest score of each word, the mean power,
 * or the mean of each band. n: 1..KWS_SCOPE_ROWS; there MUST be n rows. time_s: the end of the last
 * row. After the text there is room for KWS_SCOPE_TAIL bytes. It is valid until the next call. */
enum { KWS_SCOPE_TAIL = 64 };
char *kws_scope_line(kws_scope *t, enum kws_scope_kind kind, size_t n, double time_s, size_t *len);

#endif
