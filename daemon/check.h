/* check.h - `kwsd -t`: what the start would refuse, and what it would wait for, without doing it. */
#ifndef KWS_DAEMON_CHECK_H
#define KWS_DAEMON_CHECK_H

#include "daemon/setup.h"

/* s->conf has been read. Prints it to stdout, and says on stderr what is wrong, or worth a look.
 * Returns an exit status. Changes nothing that others can see. */
int kws_check(kws_setup *s);

#endif
