/* labels.h - the truth file that kws label writes beside a recording: a.tsv for a.flac, in the form
 * of corpus/truth.h.
 *
 *   start   end     word   heard  at     mark
 *   12.300  12.700  go     go     12.300 right
 *   20.100  20.400  no     go     20.100 other      "no" was said, and "go" heard
 *   # 31.000 31.400 -      up     31.000 wrong      nothing of the kind was said
 *   19.100  21.400  stop   go     20.100 too        said somewhere near that "go", too
 *
 * A word that two answers have at the same time was said once: the second line is a comment, too. The
 * last three columns say what each line answers; `kws eval' and the others do not read them. All
 * other lines of the file are kept as they are. */
#ifndef KWS_CLI_LABELS_H
#define KWS_CLI_LABELS_H

#include "cli/candidates.h"

/* Read the answers to the candidates (n,) of one recording from its truth file, if there is one. An event
 * that other lines have as a word said, and a clip with a file of other lines only, are told. False: it cannot be read or has another form; reported. */
bool kws_labels_read(kws_candidate *of, size_t n);

/* Write the answers to the candidates (n,) of one recording, which are placed, to its truth file, in
 * one step. False: reported, and the file is as it was. */
bool kws_labels_write(const kws_candidate *of, size_t n);

#endif
