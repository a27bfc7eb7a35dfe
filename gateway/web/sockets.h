/* sockets.h - the sockets on which kwsd-web is reached: those that systemd passes, or one of its
 * own. */
#ifndef KWS_WEB_SOCKETS_H
#define KWS_WEB_SOCKETS_H

#include "kws.h"

#include <stdbool.h>
#include <sys/socket.h>

enum { KWS_WEB_SOCKETS = 4, KWS_WEB_ADDRESS = 64 };

typedef struct {
	size_t n;
	int fd[KWS_WEB_SOCKETS];
	bool local;		    /* all of them can be reached from this machine only */
	bool passed;		    /* systemd has passed them */
	char name[KWS_WEB_ADDRESS]; /* of the first, for messages */
} kws_web_sockets;

/* Read "127.0.0.1:8591" or "[::1]:8591". False: text is neither. */
bool kws_web_address_read(const char *text, struct sockaddr_storage *out, socklen_t *len);

/* Take what systemd passes; otherwise listen on this address; "": on none. KWS_ERR_ARG: a passed
 * descriptor is no listening socket, or address is none. KWS_ERR_IO: it cannot be bound. */
enum kws_status kws_web_sockets_open(kws_web_sockets *s, const char *address, kws_error *err);
void kws_web_sockets_close(kws_web_sockets *s);

#endif
