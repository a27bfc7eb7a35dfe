/* check.h - `kwsd -t`: tells what a start would refuse, and what it would wait for, without
 * starting. */
#ifndef KWS_DAEMON_CHECK_H
#define KWS_DAEMON_CHECK_H

#include "daemon/setup.h"

/* s->conf has been read. Prints it to stdout, and errors and warnings to stderr. Returns an exit
 * status. Changes nothing outside the process. */
int kws_check(kws_setup *s);

#endif
