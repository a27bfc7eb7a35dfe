/* site.h - what this machine is called on the broker: its topics, and what Home Assistant knows it
 * by. */
#ifndef KWS_GATEWAY_MQTT_SITE_H
#define KWS_GATEWAY_MQTT_SITE_H

#include "conf/conf.h"
#include "gateway/mqtt/names.h"

#include <jansson.h>

typedef struct {
	const kws_conf_mqtt *conf;
	char name[64];		       /* as an id */
	char base[KWS_MQTT_TOPIC / 2]; /* what its topics begin with: "kwsd/kitchen" */
	char config[KWS_MQTT_TOPIC];   /* topic of the discovery document; "": none */
	char birth[KWS_MQTT_TOPIC];    /* topic of Home Assistant's birth message; "": none */
} kws_site;

/* c MUST outlive s. */
void kws_site_init(kws_site *s, const kws_conf_mqtt *c);

/* The topic of a microphone, or of a word of a model: base/listener/NAME/leaf,
 * base/model/NAME/WORD/leaf. Returns out. */
const char *kws_site_listener_topic(const kws_site *s, const char *listener, const char *leaf,
				    char out[KWS_MQTT_TOPIC]);
const char *kws_site_word_topic(const kws_site *s, const char *model, const char *word,
				const char *leaf, char out[KWS_MQTT_TOPIC]);
/* base/leaf */
const char *kws_site_topic(const kws_site *s, const char *leaf, char out[KWS_MQTT_TOPIC]);

/* The name of this microphone among sites of Hermes: the site; with a name, SITE_NAME. */
const char *kws_site_hermes_id(const kws_site *s, const char *listener, char out[KWS_MQTT_NAME]);

/* ---- walking through a status of kwsd, which may be NULL ---- */

/* The text of a member; "": it has none. */
const char *kws_site_text(const json_t *o, const char *key);

/* Each word of each model once: fn gets the name of the model, the word and its threshold (null: it is
 * off). */
typedef void kws_site_word_fn(void *ctx, const char *model, const char *word,
			      const json_t *threshold);
void kws_site_each_word(const json_t *status, kws_site_word_fn *fn, void *ctx);

/* The words that a listener (an element of listeners) can hear, as a new array, each once; NULL: out of
 * memory. */
json_t *kws_site_words_of(const json_t *listener);

#endif
