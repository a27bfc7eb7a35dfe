/* link.h - a connection to the control socket of kwsd: lines of JSON out and in, with patience that ends. */
#ifndef KWS_CLI_LINK_H
#define KWS_CLI_LINK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct {
	int fd;	      /* -1: closed */
	char *line;   /* what has come */
	size_t n, at; /* bytes in it; where the next line begins */
} kws_link;

/* Where kwsd is to be found: path, or $KWS_CONTROL, $RUNTIME_DIRECTORY/control, /run/kwsd/control. */
void kws_link_path(const char *path, char *out, size_t n);

/* False: errno says why, ETIMEDOUT after timeout_s. */
bool kws_link_open(kws_link *l, const char *path, double timeout_s);
void kws_link_close(kws_link *l);

/* Takes the reference. False: errno. */
bool kws_link_send(kws_link *l, json_t *request);

/* The next line, without its line feed; it lives until the next call. timeout_s < 0: for ever. NULL: errno, 0
 * when the other side has closed. */
const char *kws_link_receive(kws_link *l, double timeout_s);

#endif
