/* notify.h - notifies systemd: READY, STATUS, WATCHDOG, RELOADING, STOPPING. Without systemd
 * nothing is sent. */
#ifndef KWS_RUNTIME_NOTIFY_H
#define KWS_RUNTIME_NOTIFY_H

#include <stdbool.h>

enum { KWS_NOTIFY_STATUS = 4096 };

typedef struct {
	double watchdog_s; /* 0: systemd has no watchdog for us */
	double outage_s;   /* after this long without audio, no WATCHDOG is sent */
	double heard_s, quiet_since, next_ping, next_status;
	bool ready;
	char status[KWS_NOTIFY_STATUS];
} kws_notify;

void kws_notify_init(kws_notify *n, unsigned outage_s, double mono);

/* Call it at least four times per watchdog period, and when audio has come. wanted: some listener is enabled. heard_s: audio so far of all enabled
 * listeners. Sends READY after the first audio, or at once if none is wanted. Sends WATCHDOG while
 * audio comes, or none is wanted, or the outage is shorter than outage_s: searching for a device is
 * not a hang. Returns whether it is time for a status. */
bool kws_notify_step(kws_notify *n, bool wanted, double heard_s, double mono);
/* Send STATUS if it has changed. */
void kws_notify_status(kws_notify *n, const char *text);
void kws_notify_reloading(const kws_notify *n, double mono);
void kws_notify_reloaded(const kws_notify *n);
void kws_notify_stopping(void);

#endif
