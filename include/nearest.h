/* nearest.h - which of the known names was meant: for "did you mean 'threshold'?".
 *
 *   kws_nearest n;
 *   kws_nearest_init(&n, "treshold");
 *   for (i = 0; i < n_names; i++)
 *           kws_nearest_offer(&n, names[i]);
 *   fail("unknown key '%s'%s", text, kws_nearest_hint(&n));  */
#ifndef KWS_NEAREST_H
#define KWS_NEAREST_H

enum { KWS_NEAREST_LONGEST = 63 }; /* longer texts and names are near to nothing */

typedef struct {
	const char *text, *name; /* name: the nearest so far, NULL: none is near enough */
	unsigned distance;
	char hint[KWS_NEAREST_LONGEST + 32];
} kws_nearest;

/* text MUST outlive n. */
void kws_nearest_init(kws_nearest *n, const char *text);

/* One of the known names; MUST outlive n. Nearest is a name that begins with the text (two letters
 * or more); else the one with the fewest slips of the hand: a letter too many, too few, another, or
 * two that changed places. One slip in a text of up to 3 letters, one more for each further 4.
 * ASCII capitals do not count, nor does whether it is - or _. Of equals the first is kept. */
void kws_nearest_offer(kws_nearest *n, const char *name);

/* "; did you mean 'NAME'?", or "". Lives as long as n. */
const char *kws_nearest_hint(kws_nearest *n);

#endif
