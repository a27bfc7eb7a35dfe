/* notify.h - what systemd is told: READY, STATUS, WATCHDOG, RELOADING, STOPPING. Without systemd all of
 * it goes nowhere. */
#ifndef KWS_DAEMON_NOTIFY_H
#define KWS_DAEMON_NOTIFY_H

#include <stdbool.h>

enum { KWS_NOTIFY_STATUS = 4096 };

typedef struct {
	double watchdog_s; /* 0: systemd does not watch us */
	double outage_s; /* so long may there be no audio before we stop saying that all is well */
	double heard_s, quiet_since, next_ping, next_status;
	bool ready;
	char status[KWS_NOTIFY_STATUS];
} kws_notify;

void kws_notify_init(kws_notify *n, unsigned outage_s, double mono);

/* Every poll_ms. wanted: some listener is to hear. heard_s: what all that are to hear have heard so far.
 * READY after the first audio, or at once when none is wanted; WATCHDOG while audio comes, or none is
 * wanted, or the outage is young: the device is being looked for, which is no hang. Returns whether it
 * is time for a status. */
bool kws_notify_step(kws_notify *n, bool wanted, double heard_s, double mono);
/* STATUS, when it is another than before. */
void kws_notify_status(kws_notify *n, const char *text);
void kws_notify_reloading(const kws_notify *n, double mono);
void kws_notify_reloaded(const kws_notify *n);
void kws_notify_stopping(void);

#endif
