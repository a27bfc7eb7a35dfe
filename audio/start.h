/* start.h - what a program does first of all, before it opens anything or starts a thread. */
#ifndef KWS_AUDIO_START_H
#define KWS_AUDIO_START_H

#include <stdbool.h>

/* The first line of main.
 *
 * Descriptors 0 to 2 that are closed are given to /dev/null, so that nothing else that we open gets
 * their numbers: the wrong way round, so that reading standard input and writing standard output
 * fail as they would on a closed descriptor. Standard error swallows what it is told. All
 * others that we were started with stay open for us, but not for programs that we start.
 *
 * False: errno says why. */
bool kws_start(void);

/* Can standard input be read, standard output be written? Not when it was closed at the start. */
bool kws_start_has_stdin(void);
bool kws_start_has_stdout(void);

#endif
