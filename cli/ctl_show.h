/* ctl_show.h - shows the answers of kwsd to people. */
#ifndef KWS_CLI_CTL_SHOW_H
#define KWS_CLI_CTL_SHOW_H

#include <jansson.h>

/* Show "status" of an answer: the microphones, the models, and where events go. */
void kws_ctl_show_status(const json_t *status);

/* Show a line of a stream. */
void kws_ctl_show_line(const json_t *line, const char *raw);

#endif
