/* nearest.h - finds the known name that a user probably meant: "did you mean 'threshold'?".
 *
 *   kws_nearest n;
 *   kws_nearest_init(&n, "treshold");
 *   for (i = 0; i < n_names; i++)
 *           kws_nearest_offer(&n, names[i]);
 *   fail("unknown key '%s'%s", text, kws_nearest_hint(&n)); */
#ifndef KWS_NEAREST_H
#define KWS_NEAREST_H

enum { KWS_NEAREST_LONGEST = 63 }; /* longer texts and names never match */

typedef struct {
	const char *text, *name; /* name: the best match so far, or NULL */
	unsigned distance;
	char hint[KWS_NEAREST_LONGEST + 32];
} kws_nearest;

/* text MUST outlive n. */
void kws_nearest_init(kws_nearest *n, const char *text);

/* Offer one known name, which MUST outlive n. A name that begins with the text (two letters or
 * more) is the best match. Otherwise the best is the name with the fewest typing errors: a letter
 * added, missing, replaced, or two neighbours swapped. One error is allowed in a text of up to 3
 * letters, and one more for each further 4. ASCII case does not matter, nor does - or _. If two
 * names are equally good, the first wins. */
void kws_nearest_offer(kws_nearest *n, const char *name);

/* "; did you mean 'NAME'?", or "" if no name is close enough. Lives as long as n. */
const char *kws_nearest_hint(kws_nearest *n);

#endif
