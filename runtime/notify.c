#include "runtime/notify.h"

#include "kws.h"

#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

static const double status_every_s = 5.0;

void kws_notify_init(kws_notify *n, unsigned outage_s, double mono)
{
	uint64_t us = 0;

	memset(n, 0, sizeof *n);
	n->quiet_since = mono;
	n->outage_s = outage_s;
	if (sd_watchdog_enabled(0, &us) > 0)
		n->watchdog_s = 1e-6 * (double)us;
}

bool kws_notify_step(kws_notify *n, bool wanted, double heard_s, double mono)
{
	bool advanced = heard_s > n->heard_s || !wanted, first = advanced && !n->ready;

	n->heard_s = heard_s; /* may become less: a listener was removed */
	if (advanced)
		n->quiet_since = mono;
	if (first) {
		n->ready = true;
		sd_notify(0, "READY=1");
	}
	if (n->watchdog_s > 0.0 && mono >= n->next_ping
	    && (advanced || (n->ready && mono - n->quiet_since < n->outage_s))) {
		sd_notify(0, "WATCHDOG=1");
		n->next_ping = mono + n->watchdog_s / 4.0;
	}
	if (!first && mono < n->next_status)
		return false;
	n->next_status = mono + status_every_s;
	return true;
}

void kws_notify_status(kws_notify *n, const char *text)
{
	if (!strcmp(text, n->status))
		return;
	snprintf(n->status, sizeof n->status, "%s", text);
	kws_clean(n->status); /* a line feed would begin another message to systemd */
	sd_notifyf(0, "STATUS=%s", n->status);
}

void kws_notify_reloading(const kws_notify *n, double mono)
{
	if (n->ready)
		sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%.0f", 1e6 * mono);
}

void kws_notify_reloaded(const kws_notify *n)
{
	if (n->ready)
		sd_notify(0, "READY=1");
}

void kws_notify_stopping(void)
{
	sd_notify(0, "STOPPING=1\nSTATUS=Stopping");
}
