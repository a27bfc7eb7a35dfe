/* listen.h - what kws listen prints: lines while it listens without a page, and at the end what it
 * comes to. */
#ifndef KWS_CLI_LISTEN_H
#define KWS_CLI_LISTEN_H

#include "cli/listening.h"

/* title: the device, at its rate */
void kws_listen_print_title(const kws_listening *l, const char *title);

/* The level and the best scores of the moment. */
void kws_listen_print_scores(const kws_listening *l);

void kws_listen_print_find(const kws_listening *l, const kws_listening_find *find);

/* All finds that are still known. */
void kws_listen_print_finds(const kws_listening *l);

/* The [threshold] sections, to be pasted into kwsd.conf: of a word that was moved, where it was
 * moved to; of others, between what was heard. */
void kws_listen_print_thresholds(const kws_listening *l, const char *title);

#endif
