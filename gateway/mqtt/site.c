#include "gateway/mqtt/site.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

void kws_site_init(kws_site *s, const kws_conf_mqtt *c)
{
	char host[256] = "", id[KWS_MQTT_NAME];

	memset(s, 0, sizeof *s);
	s->conf = c;
	if (!*c->site && gethostname(host, sizeof host - 1) != 0)
		host[0] = 0;
	host[strcspn(host, ".")] = 0;
	snprintf(s->name, sizeof s->name, "%.63s", kws_mqtt_id(*c->site ? c->site : host, id));
	snprintf(s->base, sizeof s->base, "%s/%s", c->topic, s->name);
	if (!*c->discovery)
		return;
	snprintf(s->config, sizeof s->config, "%s/device/kwsd_%s/config", c->discovery, s->name);
	snprintf(s->birth, sizeof s->birth, "%s/status", c->discovery);
}

const char *kws_site_topic(const kws_site *s, const char *leaf, char out[KWS_MQTT_TOPIC])
{
	snprintf(out, KWS_MQTT_TOPIC, "%s/%s", s->base, leaf);
	return out;
}

const char *kws_site_listener_topic(const kws_site *s, const char *listener, const char *leaf,
				    char out[KWS_MQTT_TOPIC])
{
	char level[KWS_MQTT_NAME];

	snprintf(out, KWS_MQTT_TOPIC, "%s/listener/%s/%s", s->base, kws_mqtt_level(listener, level),
		 leaf);
	return out;
}

const char *kws_site_word_topic(const kws_site *s, const char *model, const char *word,
				const char *leaf, char out[KWS_MQTT_TOPIC])
{
	char level[KWS_MQTT_NAME], last[KWS_MQTT_NAME];

	snprintf(out, KWS_MQTT_TOPIC, "%s/model/%s/%s/%s", s->base, kws_mqtt_level(model, level),
		 kws_mqtt_level(word, last), leaf);
	return out;
}

const char *kws_site_hermes_id(const kws_site *s, const char *listener, char out[KWS_MQTT_NAME])
{
	snprintf(out, KWS_MQTT_NAME, "%s%s%s", s->name, *listener ? "_" : "", listener);
	return out;
}

/* ---- a status ---- */

const char *kws_site_text(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text ? text : "";
}

static void each_word_of(json_t *seen, const json_t *spotter, kws_site_word_fn *fn, void *ctx)
{
	const char *model = kws_site_text(spotter, "name"), *word;
	json_t *threshold;

	if (json_object_get(seen, model))
		return;
	json_object_set_new(seen, model, json_true());
	json_object_foreach(json_object_get(spotter, "words"), word, threshold)
		fn(ctx, model, word, threshold);
}

void kws_site_each_word(const json_t *status, kws_site_word_fn *fn, void *ctx)
{
	json_t *seen = json_object();
	const json_t *listener, *spotter;
	size_t i, k;

	json_array_foreach(json_object_get(status, "listeners"), i, listener)
		json_array_foreach(json_object_get(listener, "spotters"), k, spotter)
			each_word_of(seen, spotter, fn, ctx);
	json_decref(seen);
}

json_t *kws_site_words_of(const json_t *listener)
{
	json_t *seen = json_object(), *words = json_array(), *threshold;
	const json_t *spotter;
	const char *word;
	size_t i;

	json_array_foreach(json_object_get(listener, "spotters"), i, spotter)
		json_object_foreach(json_object_get(spotter, "words"), word,
				    threshold) if (!json_object_get(seen, word))
	{
		json_object_set_new(seen, word, json_true());
		json_array_append_new(words, json_string(word));
	}
	json_decref(seen);
	return words;
}
