/* names.h - texts of kwsd (words, microphones, models, a host) as parts of MQTT topics and as ids of
 * Home Assistant. Different texts give different results. */
#ifndef KWS_GATEWAY_MQTT_NAMES_H
#define KWS_GATEWAY_MQTT_NAMES_H

#include <stdbool.h>
#include <stddef.h>

enum { KWS_MQTT_NAME = 200 }; /* room for any word, escaped */
enum { KWS_MQTT_TOPIC = 512 };

/* One level of a topic. "/", "+", "#", "%", "$" and control characters become %XX; everything else
 * stays, so that a word of any language can be read. "": "default", which is %64efault if the text is
 * just that. Returns out. */
const char *kws_mqtt_level(const char *text, char out[KWS_MQTT_NAME]);

/* An id of A-Z a-z 0-9 _ -. A text that has other characters gets _ in their place, and a checksum at
 * its end. "": "default", as above. Returns out. */
const char *kws_mqtt_id(const char *text, char out[KWS_MQTT_NAME]);

/* Whether text may be a topic to publish to: UTF-8 without wildcards and control characters, 1 to
 * KWS_MQTT_TOPIC - 1 bytes, and no / at its ends. */
bool kws_mqtt_is_topic(const char *text);

#endif
