/* ctl_show.h - what kwsd answers, for eyes. */
#ifndef KWS_CLI_CTL_SHOW_H
#define KWS_CLI_CTL_SHOW_H

#include <jansson.h>

/* "status" of an answer: what it listens to, with which models, and where events go. */
void kws_ctl_show_status(const json_t *status);

/* A line of a stream. */
void kws_ctl_show_line(const json_t *line, const char *raw);

#endif
