/* door.h - a listening Unix socket under a name in the file system.
 *
 * The name belongs to whoever listens on it, and the kernel knows that: a socket that refuses a
 * connection is a dead daemon's and is replaced, one that accepts is never touched. Looking and
 * taking are one step under a lock of the folder, so that of two daemons that start at once one is
 * refused. The lock is held for a moment only: a daemon that is killed leaves nothing that holds up
 * the next. */
#ifndef KWS_DAEMON_DOOR_H
#define KWS_DAEMON_DOOR_H

#include "daemon/conf.h"
#include "kws.h"

#include <stdbool.h>
#include <sys/types.h>

typedef struct {
	char path[sizeof((kws_conf_socket *)0)->path];
	char group[sizeof((kws_conf_socket *)0)->group];
	mode_t mode;
	gid_t gid; /* (gid_t)-1: the daemon's own */
	int fd;	   /* -1: not open */
	dev_t dev; /* of the name, while it is open */
	ino_t ino;
} kws_door;

/* Find out whether the socket can be made, with its owner and mode, and leave nothing behind. live:
 * our own of the configuration before, whose name may be taken over; may be NULL. */
enum kws_status kws_door_prepare(kws_door *l, const kws_conf_socket *c, const kws_door *live,
				 kws_error *err);

/* Listen. The name appears, or passes from live to l, in one step and with the rights that it is to
 * have. On failure nothing has changed. */
enum kws_status kws_door_open(kws_door *l, const kws_door *live, kws_error *err);

/* Stop listening; the name goes if it still is ours. */
void kws_door_close(kws_door *l);

#endif
