/* link.h - a connection to the control socket of kwsd: JSON lines in both directions, with
 * timeouts. */
#ifndef KWS_CLI_LINK_H
#define KWS_CLI_LINK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct {
	int fd;	      /* -1: closed */
	char *line;   /* bytes received */
	size_t n, at; /* their number; start of the next line */
} kws_link;

/* The path of the control socket: path, or if NULL the first of $KWS_CONTROL,
 * $RUNTIME_DIRECTORY/control, $XDG_RUNTIME_DIR/kwsd/control if it exists, /run/kwsd/control. */
void kws_link_path(const char *path, char *out, size_t n);

/* False: errno says why; ETIMEDOUT after timeout_s. */
bool kws_link_open(kws_link *l, const char *path, double timeout_s);
void kws_link_close(kws_link *l);

/* Send a request; takes the reference. False: errno says why. */
bool kws_link_send(kws_link *l, json_t *request);

/* Receive the next line, without its line feed; it lives until the next call. timeout_s < 0: no
 * limit. NULL: errno says why; 0 if the other side has closed. */
const char *kws_link_receive(kws_link *l, double timeout_s);

#endif
