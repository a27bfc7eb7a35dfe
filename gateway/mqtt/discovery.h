/* discovery.h - the document by which Home Assistant finds this machine as one device: for each
 * microphone an event entity, a trigger for each word, a switch and sensors; for each word of each model a
 * number for its threshold. */
#ifndef KWS_GATEWAY_MQTT_DISCOVERY_H
#define KWS_GATEWAY_MQTT_DISCOVERY_H

#include "gateway/mqtt/site.h"

/* A new document for this status of kwsd; NULL: out of memory. */
json_t *kws_discovery(const kws_site *s, const json_t *status);

/* A copy of document in which the components that only the older one has are marked as removed. NULL:
 * there are none, or out of memory. Either may be any JSON. */
json_t *kws_discovery_removal(const json_t *older, const json_t *document);

#endif
