/* bridge.h - between kwsd and a broker: what is heard becomes messages, and messages become requests.
 *
 * Knows neither sockets nor threads: its owner brings lines of the control socket and messages of the
 * broker, and gives it functions to send some. docs/kwsd-mqtt.8 has the topics. */
#ifndef KWS_GATEWAY_MQTT_BRIDGE_H
#define KWS_GATEWAY_MQTT_BRIDGE_H

#include "conf/conf.h"
#include "gateway/control_client.h"

#include <stdint.h>

typedef struct kws_bridge kws_bridge;

/* All return false if that is not possible now. */
typedef struct {
	/* Publish payload (n,). kws_bridge_sent(token) will follow, once. */
	bool (*publish)(void *ctx, const char *topic, const char *payload, size_t n, int qos,
			bool retain, uint64_t token);
	bool (*subscribe)(void *ctx, const char *topic, int qos);
	/* As kws_control_client_request. */
	bool (*request)(void *ctx, json_t *request, kws_control_answer_fn *fn, void *fn_ctx);
} kws_bridge_ops;

/* Opens the file of events that wait. c and ops MUST outlive the bridge. */
enum kws_status kws_bridge_create(kws_bridge **out, const kws_conf_mqtt *c,
				  const kws_bridge_ops *ops, void *ctx, kws_error *err);
/* Every request MUST have got its answer before. */
void kws_bridge_destroy(kws_bridge *b);

/* The path of that file; "": there is none. */
void kws_bridge_spool_path(const kws_conf_mqtt *c, char path[4096]);
/* The topic that says whether kwsd can be reached: online, offline. */
const char *kws_bridge_availability(const kws_bridge *b);
/* The name that the broker knows the connection by. */
void kws_bridge_client_id(const kws_bridge *b, char *text, size_t n);

/* From kwsd. */
void kws_bridge_daemon_connected(kws_bridge *b);
void kws_bridge_daemon_line(kws_bridge *b, const json_t *line);
void kws_bridge_daemon_lost(kws_bridge *b);

/* From the broker. */
void kws_bridge_connected(kws_bridge *b);
void kws_bridge_lost(kws_bridge *b);
/* The messages without a kws_bridge_sent will not get one. */
void kws_bridge_forgotten(kws_bridge *b);
void kws_bridge_sent(kws_bridge *b, uint64_t token);
/* payload (n,) with a final 0 behind it. */
void kws_bridge_message(kws_bridge *b, const char *topic, const char *payload, size_t n,
			bool retained);

/* Call it every half a second or so. */
void kws_bridge_tick(kws_bridge *b);
/* Before the end: microphones that Hermes has turned off listen again. */
void kws_bridge_stop(kws_bridge *b);

/* For people: "2 events wait". */
void kws_bridge_status(const kws_bridge *b, char *text, size_t n);

#endif
