/* bridge_parts.h - the parts of bridge.c, bridge_state.c, bridge_commands.c and bridge_hermes.c. Only
 * for these files. */
#ifndef KWS_GATEWAY_MQTT_BRIDGE_PARTS_H
#define KWS_GATEWAY_MQTT_BRIDGE_PARTS_H

#include "gateway/mqtt/board.h"
#include "gateway/mqtt/bridge.h"
#include "gateway/mqtt/hermes.h"
#include "gateway/mqtt/site.h"
#include "gateway/mqtt/spool.h"

/* Tokens of messages. Those of events begin at EVENT, with their number. */
enum { KWS_BRIDGE_BOARD = 0, KWS_BRIDGE_OTHER = 1, KWS_BRIDGE_EVENT = 16 };
/* The most messages on their way to the broker: events, and messages of the board. */
enum { KWS_BRIDGE_EVENTS = 16, KWS_BRIDGE_BOARDS = 64 };

/* An event on its way. */
typedef struct {
	uint64_t number;
	unsigned parts; /* messages of it that are not yet with the broker */
} kws_bridge_flight;

/* A microphone that Hermes has turned off, or is still to be turned on again. */
typedef struct {
	char listener[KWS_CONF_NAME];
	kws_hermes off;
	bool muted; /* it was on before */
} kws_bridge_mute;

struct kws_bridge {
	kws_site site;
	const kws_bridge_ops *ops;
	void *ctx;
	kws_spool *spool;
	bool disk_told; /* the log has said that the disk refuses events */
	char availability[KWS_MQTT_TOPIC];

	bool online;	/* connected to the broker */
	bool was_away;	/* it was not there, once at least */
	bool daemon;	/* connected to kwsd */
	bool is_new;	/* its status is not yet known on this connection */
	bool asked;	/* for the status */
	bool cleaned;	/* has looked for old messages on this connection */
	json_t *status; /* of kwsd, the last one; NULL: none yet */
	json_t *heard;	/* by name of the listener: its last word and SNR, and its level */
	json_t *discovery;
	char *report, *essence; /* the status document; the part that is published at once */
	kws_board *board;
	unsigned board_flight;
	/* monotonic; renew_at 0: not wanted */
	double next_report, next_status, renew_at, hold_until;

	kws_bridge_flight flight[KWS_BRIDGE_EVENTS];
	size_t n_flight;
	uint64_t handed;    /* number of the last event that was handed over */
	unsigned long sent; /* events */
	unsigned long lost; /* events that kwsd could not give us in time */

	kws_bridge_mute mute[KWS_CONF_AUDIOS];
	size_t n_mute;
	char mute_path[4096 + 16]; /* "": none */
};

/* Hand over what is to be published. */
void kws_bridge_pump(kws_bridge *b);
/* Publish a document, taking the reference. */
void kws_bridge_publish(kws_bridge *b, const char *topic, json_t *document, bool retain);
/* Log an error, and publish it. topic: of the message that caused it; NULL: none. */
void kws_bridge_fail(kws_bridge *b, const char *topic, const char *error);

/* ---- bridge_state.c ---- */
/* Ask kwsd for its status. */
void kws_bridge_ask(kws_bridge *b);
/* Bring the board up to date. report: with levels and vitals. */
void kws_bridge_show(kws_bridge *b, bool report);
/* An event was heard. */
void kws_bridge_note(kws_bridge *b, const json_t *event);
/* An old message was found on the broker. */
void kws_bridge_clean(kws_bridge *b, const char *topic, const char *payload, size_t n);

/* ---- bridge_hermes.c ---- */
void kws_bridge_hermes(kws_bridge *b, const char *topic, const json_t *message);
/* The user has set the switch. */
void kws_bridge_unmute(kws_bridge *b, const char *listener, bool on);
/* kwsd is there, and its status known: turn off again what Hermes has turned off, and turn on what it had
 * when an earlier process died. */
void kws_bridge_remute(kws_bridge *b);
void kws_bridge_load_mutes(kws_bridge *b);

#endif
