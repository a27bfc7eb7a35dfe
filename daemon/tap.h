/* tap.h - what an ear hears just now, for those who look at it: scores, mel bands and levels of the last
 * second, and the line of JSON that tells of them.
 *
 * Nobody needs to look: what is not added costs nothing. Allocates nothing after create. */
#ifndef KWS_DAEMON_TAP_H
#define KWS_DAEMON_TAP_H

#include "kws.h"

#include <stdbool.h>

enum kws_tap_kind { KWS_TAP_SCORES, KWS_TAP_LEVELS, KWS_TAP_MEL, KWS_TAP_KINDS };
enum { KWS_TAP_NAME = 32, KWS_TAP_ROWS = 100 };

typedef struct kws_tap kws_tap;

/* Of the spotter of this name on the listener of this name ("": they have none); m NULL: of a listener,
 * which has levels only. */
enum kws_status kws_tap_create(kws_tap **out, const char *listener, const char *spotter,
			       const kws_model *m, kws_error *err);
void kws_tap_destroy(kws_tap *t);

const char *kws_tap_listener(const kws_tap *t);
const char *kws_tap_spotter(const kws_tap *t);

/* One more row of a kind: scores (n_words,), a mean square, bands (n_mels,). since: whenever it is
 * another than before, what was added before counts no more. Returns how many rows there have been
 * since then. */
uint64_t kws_tap_add(kws_tap *t, enum kws_tap_kind kind, unsigned since, const float *row);

/* The beginning of a line, up to a } that is missing, of the last n rows, 1..KWS_TAP_ROWS, of which there
 * MUST be so many: the highest score of each word, the mean of the power, or of each band. time_s: when
 * the last of them ended. Behind it, there is room for KWS_TAP_TAIL bytes. It lives until the next. */
enum { KWS_TAP_TAIL = 64 };
char *kws_tap_line(kws_tap *t, enum kws_tap_kind kind, size_t n, double time_s, size_t *len);

#endif
