/* clients_parts.h - shared by the files of the clients: clients.c has the door and the order of
 * turns, client.c a single client. */
#ifndef KWS_WYOMING_CLIENTS_PARTS_H
#define KWS_WYOMING_CLIENTS_PARTS_H

#include "gateway/wyoming/clients.h"
#include "gateway/wyoming/ears.h"

enum { KWS_CLIENT_NAME = 80 };

typedef struct client {
	kws_clients *all;
	kws_session *session;
	int in, out; /* the same for a socket */
	bool is_socket;
	bool reads_at_once; /* in cannot be polled: a file */
	bool writes_at_once;
	bool blocked;  /* out takes no more for now */
	bool leaving;  /* it was told all; what it still sends is not used */
	bool waits;    /* for ears */
	bool is_heard; /* the ears have its session: nobody else touches it */
	bool has_gone; /* meanwhile */
	bool streams;
	size_t received;
	double since; /* of the last byte either way, or when it began to leave; monotonic, s */
	char name[KWS_CLIENT_NAME]; /* for messages */
	kws_timer_fn *gone;
	void *ctx;
	struct client *next, *before;		/* in the list of all */
	struct client *next_turn, *before_turn; /* in the queue */
	struct queue *queue;			/* in which it is; NULL: none */
} client;

/* In the order of turns. */
typedef struct queue {
	client *first, *last;
} queue;

enum { KWS_CLIENTS_DOORS = 16 };

typedef struct {
	kws_clients *all;
	int fd;
	bool shut; /* no descriptor is left: new clients wait */
} door;

struct kws_clients {
	kws_loop *loop;
	kws_clients_config conf;
	kws_roster *roster;
	client *first; /* of all */
	queue turns;   /* who has sent something that is not used yet */
	queue blocks;  /* who waits for ears */
	client *gone;  /* their ears are to be destroyed; a list by next */
	door doors[KWS_CLIENTS_DOORS];
	size_t n_doors;
	kws_ears *ears;
	client *heard[KWS_WAKE_TOGETHER]; /* (n_heard,) */
	size_t n_heard;
	size_t together; /* that are heard in one job: as many as take little time */
	kws_timer turn, sweep;
	double hearing_s,
		swept; /* spent hearing since the last sweep, which was at; monotonic, s */
	int overloaded_s;
	kws_clients_stats stats;
	double said; /* when a fault was logged last, monotonic s */
	unsigned long unsaid;
};

/* in and out: the same socket, which the client owns from now on, or two descriptors that stay open.
 * NULL: err says why; they are still the caller's. */
client *kws_client_seat(kws_clients *all, int in, int out, kws_error *err);
/* It is freed, at once or when the ears have done with it. */
void kws_client_hang_up(client *c);

/* Its descriptors are ready, ctx is the client; for the loop. It may have gone afterwards. */
void kws_client_ready(void *ctx, unsigned events);
/* It is its turn: use what it has sent. It may have gone afterwards. */
void kws_client_turn(client *c);
/* The ears have done with it. It may have gone afterwards. */
void kws_client_heard(client *c);

/* Put it at the end of its queue, if it is in none: of those who wait for ears, or for a turn. */
void kws_client_enqueue(client *c);
void kws_client_dequeue(client *c);
/* It has hung up, and its session has ears. Frees it. */
void kws_client_bury(client *c);
/* Count a client that is sent away or turned away, and log why: not of each one, as somebody might
 * be back at once, again and again. */
void kws_clients_sent_away(kws_clients *all, const char *name, const char *why);
/* Look after one client, once a second; mono: now. It may have gone afterwards. */
void kws_client_sweep(client *c, double mono);

#endif
