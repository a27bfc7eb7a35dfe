/* server_parts.h - what the files of the server share: server.c has the door and all of its clients,
 * server_client.c one of them. */
#ifndef KWS_DAEMON_SERVER_PARTS_H
#define KWS_DAEMON_SERVER_PARTS_H

#include "daemon/server.h"

struct kws_client {
	kws_server *server;
	int fd; /* -1: free */
	kws_peer peer;
	char *out; /* (room,) a ring of bytes */
	size_t room, first, n;
	unsigned long lost;
	char *in; /* (in_bytes + 1,) the line so far */
	size_t n_in;
	bool overlong;	    /* the rest of the line is left out */
	bool last;	    /* it will send nothing more */
	unsigned long held; /* 0, or which of the lines that wait it has in in */
	uint32_t watched;
	void *own; /* (own_bytes,) */
};

struct kws_server {
	kws_server_config conf;
	kws_door door;
	int fd;		      /* of an epoll set */
	bool shut;	      /* no descriptor is left for more clients: they wait at the door */
	kws_client *clients;  /* (conf.clients,) */
	unsigned long n_held; /* lines, so far */
	void *ctx;
	kws_server_stats stats;
};

/* The place is free. */
void kws_client_leave(kws_client *c);
/* Put it into its server's epoll set, or keep what is waited for up to date there. op:
 * EPOLL_CTL_ADD, EPOLL_CTL_MOD. */
bool kws_client_watch(kws_client *c, int op);
/* Send what goes now; hear some of what it sends. Either may be the end of it. */
void kws_client_send_some(kws_client *c);
void kws_client_receive(kws_client *c);
/* Bring the line that waits, or the one that is whole now. */
void kws_client_bring(kws_client *c);

#endif
