/* door.h - a listening Unix socket with a path in the file system.
 *
 * The path belongs to the process that listens on it, and the kernel knows which: a socket that
 * refuses a connection belongs to a dead daemon and is replaced; one that accepts is never touched.
 * Test and replacement are one step under a lock of the folder, so that if two daemons start at
 * once, one is refused. The lock is held only for a moment: a killed daemon leaves nothing that
 * blocks the next. */
#ifndef KWS_RUNTIME_DOOR_H
#define KWS_RUNTIME_DOOR_H

#include "kws.h"

#include <stdbool.h>
#include <sys/types.h>

/* Sizes as in the configuration. A Unix socket's path has at most 107 bytes, and we add a
 * suffix. */
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
	dev_t dev; /* of the path, while it is open */
	ino_t ino;
	kws_door *next; /* in the list of open doors */
};

/* Test whether the socket can be made, with its owner and mode; leaves nothing behind. A path of
 * another open door of this process is fine: it may be taken over. */
enum kws_status kws_door_prepare(kws_door *d, const kws_door_config *c, kws_error *err);

/* Listen. The path appears, or passes from another open door to d, in one step and with its final
 * owner and mode. On failure nothing has changed. d MUST NOT move in memory until it is closed. */
enum kws_status kws_door_open(kws_door *d, kws_error *err);

/* Stop listening, and remove the path if it is still ours. */
void kws_door_close(kws_door *d);

#endif
