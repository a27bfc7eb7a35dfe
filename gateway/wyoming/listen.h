/* listen.h - the addresses at which kwsd-wyoming is reached: those that systemd passes, or those of
 * the configuration. */
#ifndef KWS_WYOMING_LISTEN_H
#define KWS_WYOMING_LISTEN_H

#include "conf/conf.h"
#include "runtime/door.h"

enum { KWS_LISTEN_ADDRESSES = 8, KWS_LISTEN_SOCKETS = 16 };

enum kws_uri_kind { KWS_URI_TCP, KWS_URI_UNIX, KWS_URI_STDIO };

typedef struct {
	enum kws_uri_kind kind;
	char host[128]; /* name or address, without brackets; "": all addresses */
	char port[8];
	char path[KWS_DOOR_PATH];
} kws_uri;

/* Read text (n,): tcp://HOST:PORT, tcp://[ADDRESS]:PORT, unix:///PATH or stdio://. KWS_ERR_ARG: it
 * is none of them; err says what is wrong. */
enum kws_status kws_uri_read(kws_uri *u, const char *text, size_t n, kws_error *err);
/* Read several, separated by blanks. stdio:// MUST be alone. KWS_ERR_ARG: one of them is wrong, or
 * there are too many, or none. */
enum kws_status kws_uris_read(kws_uri *u, size_t *n, const char *text, kws_error *err);

typedef struct {
	int fd[KWS_LISTEN_SOCKETS]; /* (n,) they listen, and do not block */
	size_t n;
	kws_door door[KWS_LISTEN_ADDRESSES]; /* (n_doors,) of the Unix sockets of our own */
	size_t n_doors;
	bool is_stdio; /* one client, at standard input and output */
	bool is_passed;
} kws_listen;

/* l MUST not move in memory until it is closed. KWS_ERR_ARG as above, or a passed descriptor does
 * not listen; KWS_ERR_IO: an address cannot be used; err names it. */
enum kws_status kws_listen_open(kws_listen *l, const kws_conf_wyoming *c, kws_error *err);
void kws_listen_close(kws_listen *l);

#endif
