/* child.h - run another program and take what it says. */
#ifndef KWS_CLI_CHILD_H
#define KWS_CLI_CHILD_H

#include <stdbool.h>

enum { KWS_CHILD_TEXT = 32768 };

typedef struct {
	int status;				       /* as waitpid() has it */
	char out[KWS_CHILD_TEXT], err[KWS_CHILD_TEXT]; /* strings; what is longer is cut off */
} kws_child;

/* argv[0] is looked for in PATH unless there is a / in it; nothing is on its standard input. false:
 * it could not be started, or took longer and was killed; then errno says why (ETIMEDOUT). */
bool kws_child_run(kws_child *c, char *const argv[], int timeout_ms);

/* Its exit status; -1: a signal ended it. */
int kws_child_status(const kws_child *c);

#endif
