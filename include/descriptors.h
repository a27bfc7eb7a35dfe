/* descriptors.h - what a program does first, before it opens anything or starts a thread. */
#ifndef KWS_DESCRIPTORS_H
#define KWS_DESCRIPTORS_H

#include <stdbool.h>

/* Call it in the first line of main.
 *
 * If one of descriptors 0 to 2 is closed, it is opened on /dev/null, so that no file that we open
 * gets its number. The direction is wrong on purpose: reading standard input or writing standard
 * output fails as on a closed descriptor. Standard error accepts and discards text. All other
 * descriptors that we inherited stay open for us, but not for programs that we start.
 *
 * False: errno says why. */
bool kws_start(void);

/* Whether standard input can be read, and standard output written: not if they were closed at the
 * start. */
bool kws_start_has_stdin(void);
bool kws_start_has_stdout(void);

#endif
