/* snapshot.h - the state of the running daemon at one moment, and its output as a line of the log,
 * as systemd's status and as JSON. */
#ifndef KWS_DAEMON_SNAPSHOT_H
#define KWS_DAEMON_SNAPSHOT_H

#include "daemon/clips.h"
#include "daemon/listener.h"
#include "runtime/log.h"
#include "runtime/server.h"
#include "daemon/sink/sink.h"

#include <jansson.h>

/* Texts and models belong to their owners: use it at once. */
typedef struct {
	const char *version, *configuration; /* configuration: path; "": defaults only */
	const char *configuration_hash;	     /* of what is in force; "": unknown */
	double up_s, cpu_s, rss_mb;
	long context_switches;	/* voluntary */
	unsigned long log_lost; /* lines */
	unsigned reloads;	/* so far */
	const char *reload;	/* errors of the last reload; "": none */
	size_t n_listeners, n_sinks;
	kws_listener_stats listener[KWS_CONF_AUDIOS];
	kws_sink_stats sink[KWS_SINKS_MOST];
	kws_server_stats control; /* of the control socket; all 0: there is none */
	bool has_clips;
	kws_clips_stats clips;
} kws_snapshot;

/* Fill in version, cpu_s, rss_mb, context_switches and log_lost. */
void kws_snapshot_process(kws_snapshot *s);

/* Line i for the log, as key=value, never cut. With one listener and one spotter, one line has
 * everything; otherwise each listener has a line of its own after the first. False: there is no
 * line i. */
bool kws_snapshot_line(const kws_snapshot *s, size_t i, char out[KWS_LOG_LINE]);
/* For systemd: the state of each listener. */
void kws_snapshot_status(const kws_snapshot *s, char *out, size_t n);
/* A new object, to be freed by json_decref; NULL: out of memory. kwsd(8) describes it. */
json_t *kws_snapshot_json(const kws_snapshot *s);

#endif
