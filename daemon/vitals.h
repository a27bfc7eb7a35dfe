/* vitals.h - how the daemon is: what it tells systemd, and the line of statistics. */
#ifndef KWS_DAEMON_VITALS_H
#define KWS_DAEMON_VITALS_H

#include "daemon/listener.h"
#include "daemon/sinks.h"

typedef struct {
	double started, next_ping, next_status;
	double watchdog_s;  /* 0: systemd does not watch us */
	double heard_s;	    /* when we last looked */
	double quiet_since; /* no audio since then */
	double outage_s; /* so long may that last before we stop telling systemd that all is well */
	bool ready;
	char status[256];
} kws_vitals;

void kws_vitals_init(kws_vitals *v, unsigned outage_s);
/* Every poll_ms: READY after the first audio, STATUS when it changes, WATCHDOG while audio comes.
 */
void kws_vitals_step(kws_vitals *v, kws_listener *listener, double mono);
void kws_vitals_reloading(const kws_vitals *v);
void kws_vitals_reloaded(const kws_vitals *v);
void kws_vitals_stopping(void);

/* One line of key=value. */
void kws_vitals_line(const kws_vitals *v, kws_listener *listener, const kws_sinks *sinks, char *out,
		     size_t len);

#endif
