/* sockets.h - what gateways that are reached from outside share: the sockets that systemd passes, and
 * who is on this machine. */
#ifndef KWS_GATEWAY_SOCKETS_H
#define KWS_GATEWAY_SOCKETS_H

#include "kws.h"

#include <stdbool.h>
#include <sys/socket.h>

/* The listening stream sockets that systemd passes, as fd (*n,), *n at most max; they do not block.
 * None: *n is 0. May be asked again, as after a reload. KWS_ERR_ARG: there are more than max, or one
 * does not listen. */
enum kws_status kws_sockets_passed(int fd[], size_t max, size_t *n, kws_error *err);

/* Whether whoever has this address is on this machine: a Unix socket or a loopback address, IPv4 in
 * IPv6, too. */
bool kws_sockets_is_local(const struct sockaddr *a);

#endif
