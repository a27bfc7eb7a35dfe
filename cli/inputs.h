/* inputs.h - the recordings of a command: files and folders on the command line, and lists of them;
 * and how many of them at once. */
#ifndef KWS_CLI_INPUTS_H
#define KWS_CLI_INPUTS_H

#include "corpus/files.h"

#include <argp.h>
#include <stdbool.h>

typedef struct {
	char **named; /* (n_named,) on the command line, the caller's */
	int n_named;
	const char *list; /* of --files-from; NULL: none */
	bool nul;	  /* -0 */
	unsigned jobs;	  /* worker threads */
} kws_inputs;

/* A child parser with FILE|DIR..., --files-from, -0 and -j; its input is a kws_inputs. */
extern const struct argp kws_inputs_argp;

/* Whether there are any. */
bool kws_inputs_given(const kws_inputs *in);

/* Add them all to files, and report what is wrong with some. False: there was something. */
bool kws_inputs_list(const kws_inputs *in, kws_files *files);

#endif
