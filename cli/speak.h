/* speak.h - takes by synthetic voices, from espeak-ng. */
#ifndef KWS_CLI_SPEAK_H
#define KWS_CLI_SPEAK_H

#include "cli/enrol.h"

/* Add takes of the text by several voices, speeds and pitches. language: of the voices, "en" or "de".
 * Returns an exit status; what is wrong was reported: espeak-ng is not installed, or has no such
 * language. */
int kws_speak(kws_spoken_list *r, const char *text, const char *language);

#endif
