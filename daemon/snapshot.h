/* snapshot.h - all that can be told of the running daemon, taken at one moment, and the forms in which
 * it is told: a line of the log, systemd's status, JSON. */
#ifndef KWS_DAEMON_SNAPSHOT_H
#define KWS_DAEMON_SNAPSHOT_H

#include "daemon/clips.h"
#include "daemon/listener.h"
#include "daemon/log.h"
#include "daemon/server.h"
#include "daemon/sink/sink.h"

#include <jansson.h>

/* Texts and models stay their owners': use it at once. */
typedef struct {
	const char *version, *configuration; /* configuration: path; "": defaults only */
	double up_s, cpu_s, rss_mb;
	long context_switches;	/* of its own will */
	unsigned long log_lost; /* lines */
	unsigned reloads;	/* so far */
	const char *reload;	/* why the last one was refused; "": it was taken */
	size_t n_listeners, n_sinks;
	kws_listener_stats listener[KWS_CONF_AUDIOS];
	kws_sink_stats sink[KWS_SINKS_MOST];
	kws_server_stats control; /* of its socket; all 0: there is none */
	bool has_clips;
	kws_clips_stats clips;
} kws_snapshot;

/* What the process itself knows: version, cpu_s, rss_mb, context_switches, log_lost. */
void kws_snapshot_process(kws_snapshot *s);

/* Line i of the log, of key=value, whole. One line says all; with several listeners or spotters, each
 * listener has a line of its own behind the first. False: there is no line i. */
bool kws_snapshot_line(const kws_snapshot *s, size_t i, char out[KWS_LOG_LINE]);
/* For systemd: what each listener does. */
void kws_snapshot_status(const kws_snapshot *s, char *out, size_t n);
/* A new object, to be freed by json_decref; NULL: out of memory. kwsd(8) describes it. */
json_t *kws_snapshot_json(const kws_snapshot *s);

#endif
