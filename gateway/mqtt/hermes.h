/* hermes.h - the Hermes protocol of Rhasspy and Snips: who has turned a microphone off, and why. */
#ifndef KWS_GATEWAY_MQTT_HERMES_H
#define KWS_GATEWAY_MQTT_HERMES_H

#include "gateway/mqtt/site.h"

enum { KWS_HERMES_REASONS = 16 };

/* Why one microphone is off: texts of other programs, such as "ttsSay". It listens while there are
 * none. */
typedef struct {
	char reason[KWS_HERMES_REASONS][32];
	size_t n;
} kws_hermes;

/* Add a reason. "" stands for any: it takes the place of all others. Returns whether the microphone was on
 * before. Of more than KWS_HERMES_REASONS, one takes the last place. */
bool kws_hermes_off(kws_hermes *h, const char *reason);
/* Take a reason away; "": all. Returns whether none is left, but one was there. */
bool kws_hermes_on(kws_hermes *h, const char *reason);

/* hermes/hotword/WORD/detected and its message, for this event of kwsd. NULL: out of memory. */
json_t *kws_hermes_detected(const kws_site *s, const json_t *event, char topic[KWS_MQTT_TOPIC]);
/* The answer to rhasspy/hotword/getHotwords, for the microphone of this siteId; id: "" if there was
 * none. NULL: no microphone has this siteId, or out of memory. */
json_t *kws_hermes_hotwords(const kws_site *s, const json_t *status, const char *site_id,
			    const char *id);

/* Whether a siteId means this microphone: its own, or that of the whole site. */
bool kws_hermes_means(const kws_site *s, const char *site_id, const char *listener);

#endif
