/* server_parts.h - shared by the files of the server: server.c has the door and all clients,
 * server_client.c a single client. */
#ifndef KWS_RUNTIME_SERVER_PARTS_H
#define KWS_RUNTIME_SERVER_PARTS_H

#include "runtime/server.h"

struct kws_client {
	kws_server *server;
	int fd; /* -1: free */
	kws_peer peer;
	char *out; /* (room,) ring of bytes */
	size_t room, first, n;
	unsigned long lost;
	char *in; /* (in_bytes + 1,) the line so far */
	size_t n_in;
	bool overlong;	    /* the rest of the line is skipped */
	bool last;	    /* it will send nothing more */
	unsigned long held; /* number of the waiting line that is in `in'; 0: none waits */
	uint32_t watched;
	void *own; /* (own_bytes,) */
};

struct kws_server {
	kws_server_config conf;
	kws_door door;
	int fd;		      /* of an epoll set */
	bool shut;	      /* no descriptor is left for more clients: they wait in the backlog */
	kws_client *clients;  /* (conf.clients,) */
	unsigned long n_held; /* lines, so far */
	void *ctx;
	kws_server_stats stats;
};

/* Close the client and free its place. */
void kws_client_leave(kws_client *c);
/* Add it to its server's epoll set (EPOLL_CTL_ADD), or update its events there (EPOLL_CTL_MOD). */
bool kws_client_watch(kws_client *c, int op);
/* Send what can be sent now; read some of what it sends. Either may close the client. */
void kws_client_send_some(kws_client *c);
void kws_client_receive(kws_client *c);
/* Bring the line that waits, or that is complete now. */
void kws_client_bring(kws_client *c);

#endif
