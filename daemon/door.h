/* door.h - a listening Unix socket under a name in the file system.
 *
 * The name belongs to whoever listens on it, and the kernel knows that: a socket that refuses a
 * connection is a dead daemon's and is replaced, one that accepts is never touched. Looking and
 * taking are one step under a lock of the folder, so that of two daemons that start at once one is
 * refused. The lock is held for a moment only: a daemon that is killed leaves nothing that holds up
 * the next. */
#ifndef KWS_DAEMON_DOOR_H
#define KWS_DAEMON_DOOR_H

#include "kws.h"

#include <stdbool.h>
#include <sys/types.h>

/* As the configuration has it. A Unix socket's name has 107 bytes, and we need a suffix. */
enum { KWS_DOOR_PATH = 96, KWS_DOOR_GROUP = 48, KWS_DOOR_LABEL = 48 };

typedef struct {
	const char *label;	  /* "socket log", of the section [socket log]: for messages */
	const char *path, *group; /* group "": the daemon's own */
	unsigned mode;
} kws_door_config;

typedef struct kws_door kws_door;
struct kws_door {
	char label[KWS_DOOR_LABEL], path[KWS_DOOR_PATH], group[KWS_DOOR_GROUP];
	mode_t mode;
	gid_t gid; /* (gid_t)-1: the daemon's own */
	int fd;	   /* -1: not open */
	dev_t dev; /* of the name, while it is open */
	ino_t ino;
	kws_door *next; /* of those that are open */
};

/* Find out whether the socket can be made, with its owner and mode, and leave nothing behind. A name
 * that another open door of this process has may be taken over. */
enum kws_status kws_door_prepare(kws_door *d, const kws_door_config *c, kws_error *err);

/* Listen. The name appears, or passes from another open door to d, in one step and with the rights
 * that it is to have. On failure nothing has changed. d MUST stay where it is until it is closed. */
enum kws_status kws_door_open(kws_door *d, kws_error *err);

/* Stop listening; the name goes if it still is ours. */
void kws_door_close(kws_door *d);

#endif
