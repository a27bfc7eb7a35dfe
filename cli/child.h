/* child.h - runs another program and captures its output. */
#ifndef KWS_CLI_CHILD_H
#define KWS_CLI_CHILD_H

#include <stdbool.h>

enum { KWS_CHILD_TEXT = 32768 };

typedef struct {
	int status;				       /* as from waitpid() */
	char out[KWS_CHILD_TEXT], err[KWS_CHILD_TEXT]; /* strings, cut off if too long */
} kws_child;

/* Run a program. argv[0] is searched in PATH unless it contains a /. Standard input is empty.
 * False: it could not be started, or took too long and was killed; errno says why (ETIMEDOUT). */
bool kws_child_run(kws_child *c, char *const argv[], int timeout_ms);

/* Its exit status; -1: ended by a signal. */
int kws_child_status(const kws_child *c);

#endif
