/* help.h - what kws help and kws COMMAND --help show beside the options: the commands by what one
 * wants to do, and examples. */
#ifndef KWS_CLI_HELP_H
#define KWS_CLI_HELP_H

#include <stdio.h>

/* All commands. */
void kws_help_print(FILE *to);

/* Examples of a command, "kws spot" or "spot"; NULL: it has none. */
const char *kws_help_examples(const char *command);

#endif
