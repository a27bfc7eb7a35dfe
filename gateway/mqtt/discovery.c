#include "gateway/mqtt/discovery.h"

#include <stdio.h>
#include <string.h>

/* What is being written: the components so far. */
typedef struct {
	const kws_site *s;
	json_t *components;
} writer;

/* "kitchen.level": of the parts' ids, which have no point. */
static void key_of(char out[2 * KWS_MQTT_NAME + 32], const char *first, const char *second,
		   const char *what)
{
	char a[KWS_MQTT_NAME], b[KWS_MQTT_NAME];

	snprintf(out, 2 * KWS_MQTT_NAME + 32, "%s%s%s.%s", kws_mqtt_id(first, a), second ? "." : "",
		 second ? kws_mqtt_id(second, b) : "", what);
}

/* The name of an entity: with the name of its microphone or model, if that has one. */
static json_t *name_of(const char *owner, const char *what)
{
	return json_sprintf("%s%s%s", owner, *owner ? " " : "", what);
}

/* "number.kwsd_kitchen_yes_threshold": what automations call it, unless the user gives it another
 * name. */
static json_t *entity_id_of(const writer *w, const json_t *component)
{
	char text[2 * KWS_MQTT_NAME];
	const char *platform = kws_site_text(component, "p");

	snprintf(text, sizeof text, "kwsd_%s_%s", w->s->name, kws_site_text(component, "name"));
	for (char *at = text; *at; at++) {
		if (*at >= 'A' && *at <= 'Z')
			*at = (char)(*at - 'A' + 'a');
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789", *at))
			*at = '_';
	}
	return json_sprintf("%s.%s", platform, text);
}

/* Add a component, which is taken, with its ids unless it is a trigger. */
static void add(writer *w, const char *key, json_t *component)
{
	if (strcmp(kws_site_text(component, "p"), "device_automation") != 0) {
		json_object_set_new(component, "uniq_id",
				    json_sprintf("kwsd_%s.%s", w->s->name, key));
		json_object_set_new(component, "def_ent_id", entity_id_of(w, component));
	}
	json_object_set_new(w->components, key, component);
}

/* ---- a microphone ---- */

static void add_event(writer *w, const char *listener, const json_t *words)
{
	char key[2 * KWS_MQTT_NAME + 32], topic[KWS_MQTT_TOPIC];

	key_of(key, listener, NULL, "event");
	add(w, key,
	    json_pack("{s:s, s:o, s:s, s:O, s:s, s:i}", "p", "event", "name",
		      name_of(listener, "word"), "stat_t",
		      kws_site_listener_topic(w->s, listener, "event", topic), "evt_typ", words,
		      "ic", "mdi:account-voice", "qos", (int)w->s->conf->qos));
}

/* Late events give an empty text, which is no word. */
static void add_trigger(writer *w, const char *listener, const char *word)
{
	char key[2 * KWS_MQTT_NAME + 32], topic[KWS_MQTT_TOPIC];

	key_of(key, listener, word, "trigger");
	add(w, key,
	    json_pack("{s:s, s:s, s:s, s:s, s:o, s:s, s:s, s:i}", "p", "device_automation", "atype",
		      "trigger", "t", kws_site_listener_topic(w->s, listener, "event", topic),
		      "type", "said", "stype", name_of(listener, word), "pl", word, "val_tpl",
		      "{{ '' if value_json.late else value_json.event_type }}", "qos",
		      (int)w->s->conf->qos));
}

static void add_switch(writer *w, const char *listener)
{
	char key[2 * KWS_MQTT_NAME + 32], state[KWS_MQTT_TOPIC], set[KWS_MQTT_TOPIC];

	key_of(key, listener, NULL, "listening");
	add(w, key,
	    json_pack("{s:s, s:o, s:s, s:s, s:s}", "p", "switch", "name",
		      name_of(listener, "listening"), "stat_t",
		      kws_site_listener_topic(w->s, listener, "listening", state), "cmd_t",
		      kws_site_listener_topic(w->s, listener, "listening/set", set), "ic",
		      "mdi:microphone"));
}

/* A sensor of one member of the topic with this leaf. listener NULL: of the machine. unit NULL: a
 * text. */
static void add_sensor(writer *w, const char *listener, const char *leaf, const char *member,
		       const char *name, const char *unit, const char *icon)
{
	char key[2 * KWS_MQTT_NAME + 32], topic[KWS_MQTT_TOPIC];
	json_t *o;

	if (listener)
		kws_site_listener_topic(w->s, listener, leaf, topic);
	else
		kws_site_topic(w->s, leaf, topic);
	if (listener)
		key_of(key, listener, NULL, member);
	else
		snprintf(key, sizeof key, "%s", member);
	o = json_pack("{s:s, s:o, s:s, s:o, s:s, s:s}", "p", "sensor", "name",
		      name_of(listener ? listener : "", name), "stat_t", topic, "val_tpl",
		      json_sprintf("{{ value_json.%s }}", member), "ent_cat", "diagnostic", "ic",
		      icon);
	if (unit) {
		json_object_set_new(o, "unit_of_meas", json_string(unit));
		json_object_set_new(o, "stat_cla", json_string("measurement"));
		json_object_set_new(o, "sug_dsp_prc", json_integer(listener ? 1 : 0));
	}
	add(w, key, o);
}

static void add_listener(writer *w, const json_t *listener)
{
	const char *name = kws_site_text(listener, "name");
	json_t *words = kws_site_words_of(listener);
	const json_t *word;
	size_t i;

	if (json_array_size(words)) /* without words it is no event entity */
		add_event(w, name, words);
	json_array_foreach(words, i, word) add_trigger(w, name, json_string_value(word));
	add_switch(w, name);
	add_sensor(w, name, "sensors", "level_dbfs", "level", "dBFS", "mdi:volume-high");
	add_sensor(w, name, "sensors", "snr_db", "SNR of the last word", "dB", "mdi:signal");
	add_sensor(w, name, "sensors", "last_word", "last word", NULL, "mdi:format-quote-close");
	add_sensor(w, name, "sensors", "state", "microphone", NULL, "mdi:microphone-settings");
	json_decref(words);
}

/* ---- models and the machine ---- */

static void add_threshold(void *ctx, const char *model, const char *word, const json_t *threshold)
{
	writer *w = ctx;
	char key[2 * KWS_MQTT_NAME + 32], state[KWS_MQTT_TOPIC], set[KWS_MQTT_TOPIC];
	json_t *what = json_sprintf("%s threshold", word);

	(void)threshold;
	key_of(key, model, word, "threshold");
	add(w, key,
	    json_pack("{s:s, s:o, s:s, s:s, s:i, s:i, s:f, s:s, s:s, s:s}", "p", "number", "name",
		      name_of(model, json_string_value(what)), "stat_t",
		      kws_site_word_topic(w->s, model, word, "threshold", state), "cmd_t",
		      kws_site_word_topic(w->s, model, word, "threshold/set", set), "min", 0, "max",
		      1, "step", 0.001, "mode", "slider", "ent_cat", "config", "ic",
		      "mdi:tune-vertical"));
	json_decref(what);
}

static void add_uptime(writer *w)
{
	add_sensor(w, NULL, "status", "up_s", "uptime", "s", "mdi:timer-outline");
	json_object_set_new(json_object_get(w->components, "up_s"), "dev_cla",
			    json_string("duration"));
}

/* The models' names, each once: "commands-12, jarvis". */
static json_t *models_of(const json_t *status)
{
	json_t *seen = json_object(), *text = json_string("");
	const json_t *listener, *spotter;
	size_t i, k;

	json_array_foreach(json_object_get(status, "listeners"), i, listener)
		json_array_foreach(json_object_get(listener, "spotters"), k, spotter)
	{
		const char *model = kws_site_text(spotter, "model");
		json_t *before = text;

		if (!*model || json_object_get(seen, model))
			continue;
		json_object_set_new(seen, model, json_true());
		text = json_sprintf("%s%s%s", json_string_value(before),
				    json_string_length(before) ? ", " : "", model);
		json_decref(before);
	}
	json_decref(seen);
	return text;
}

static json_t *device_of(const kws_site *s, const json_t *status)
{
	const kws_conf_mqtt *c = s->conf;
	json_t *o =
		json_pack("{s:[o], s:s, s:o, s:s}", "ids", json_sprintf("kwsd_%s", s->name), "mf",
			  "kwsd", "mdl", models_of(status), "sw", kws_site_text(status, "version"));

	json_object_set_new(o, "name",
			    *c->name ? json_string(c->name) : json_sprintf("kwsd %s", s->name));
	if (*c->area)
		json_object_set_new(o, "sa", json_string(c->area));
	if (*c->url)
		json_object_set_new(o, "cu", json_string(c->url));
	return o;
}

json_t *kws_discovery(const kws_site *s, const json_t *status)
{
	writer w = { s, json_object() };
	char topic[KWS_MQTT_TOPIC];
	const json_t *listener;
	size_t i;

	json_array_foreach(json_object_get(status, "listeners"), i, listener)
		add_listener(&w, listener);
	kws_site_each_word(status, add_threshold, &w);
	add_uptime(&w);
	return json_pack("{s:o, s:{s:s, s:s}, s:s, s:o}", "dev", device_of(s, status), "o", "name",
			 "kwsd-mqtt", "sw", KWS_VERSION, "avty_t",
			 kws_site_topic(s, "availability", topic), "cmps", w.components);
}

json_t *kws_discovery_removal(const json_t *older, const json_t *document)
{
	const json_t *before = json_object_get(older, "cmps"),
		     *now = json_object_get(document, "cmps");
	json_t *removal = NULL, *components = NULL;
	const char *key;
	json_t *component;

	json_object_foreach((json_t *)(uintptr_t)before, key, component)
	{
		const char *platform = kws_site_text(component, "p");

		if (!*platform || json_object_get(now, key))
			continue;
		if (!removal) {
			removal = json_deep_copy(document);
			components = json_object_get(removal, "cmps");
		}
		json_object_set_new(components, key, json_pack("{s:s}", "p", platform));
	}
	return removal;
}
