#include "gateway/mqtt/hermes.h"

#include <stdio.h>
#include <string.h>

bool kws_hermes_off(kws_hermes *h, const char *reason)
{
	const bool was_on = !h->n;
	size_t i = 0;

	if (!*reason)
		h->n = 0;
	while (i < h->n && strncmp(h->reason[i], reason, sizeof h->reason[i] - 1) != 0)
		i++;
	if (i == KWS_HERMES_REASONS)
		i--;
	if (i == h->n)
		h->n++;
	snprintf(h->reason[i], sizeof h->reason[i], "%s", reason);
	return was_on;
}

bool kws_hermes_on(kws_hermes *h, const char *reason)
{
	const size_t before = h->n;

	if (!*reason)
		h->n = 0;
	for (size_t i = 0; i < h->n; i++)
		if (!strncmp(h->reason[i], reason, sizeof h->reason[i] - 1)) {
			memmove(h->reason[i], h->reason[h->n - 1], sizeof h->reason[i]);
			h->n--;
			break;
		}
	return before && !h->n;
}

bool kws_hermes_means(const kws_site *s, const char *site_id, const char *listener)
{
	char own[KWS_MQTT_NAME];

	return !strcmp(site_id, s->name) || !strcmp(site_id, kws_site_hermes_id(s, listener, own));
}

json_t *kws_hermes_detected(const kws_site *s, const json_t *event, char topic[KWS_MQTT_TOPIC])
{
	const char *word = kws_site_text(event, "word");
	char level[KWS_MQTT_NAME], id[KWS_MQTT_NAME];

	snprintf(topic, KWS_MQTT_TOPIC, "hermes/hotword/%s/detected", kws_mqtt_level(word, level));
	return json_pack("{s:s, s:s, s:s, s:o, s:s, s:n, s:n, s:n, s:n}", "modelId", word,
			 "modelVersion", kws_site_text(event, "model_hash"), "modelType",
			 "universal", "currentSensitivity",
			 json_real(1.0 - json_number_value(json_object_get(event, "threshold"))),
			 "siteId", kws_site_hermes_id(s, kws_site_text(event, "listener"), id),
			 "sessionId", "sendAudioCaptured", "lang", "customEntities");
}

static void add_models(json_t *models, const json_t *listener)
{
	const json_t *spotter;
	json_t *threshold;
	const char *word;
	size_t i;

	json_array_foreach(json_object_get(listener, "spotters"), i, spotter) json_object_foreach(
		json_object_get(spotter, "words"), word, threshold)
		json_array_append_new(models, json_pack("{s:s, s:s, s:s, s:s}", "modelId", word,
							"modelWords", word, "modelVersion",
							kws_site_text(spotter, "model_hash"),
							"modelType", "universal"));
}

json_t *kws_hermes_hotwords(const kws_site *s, const json_t *status, const char *site_id,
			    const char *id)
{
	json_t *models = json_array(), *answer;
	const json_t *listener;
	bool found = false;
	size_t i;

	json_array_foreach(
		json_object_get(status, "listeners"), i,
		listener) if (kws_hermes_means(s, site_id, kws_site_text(listener, "name")))
	{
		add_models(models, listener);
		found = true;
	}
	if (!found) {
		json_decref(models);
		return NULL;
	}
	answer = json_pack("{s:o, s:s}", "models", models, "siteId", site_id);
	if (*id)
		json_object_set_new(answer, "id", json_string(id));
	return answer;
}
