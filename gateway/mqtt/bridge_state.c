#include "gateway/mqtt/bridge_parts.h"

#include "gateway/mqtt/discovery.h"
#include "runtime/clock.h"
#include "runtime/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const double status_every_s = 2.0;

/* ---- what kwsd says ---- */

static void on_status(void *ctx, const json_t *answer)
{
	kws_bridge *b = ctx;
	json_t *status = json_object_get(answer, "status");
	const bool first = !b->status, is_new = b->is_new;

	b->asked = false;
	if (!json_is_object(status))
		return;
	json_decref(b->status);
	b->status = json_incref(status);
	b->is_new = false;
	if (is_new)
		kws_bridge_remute(b);
	kws_bridge_show(b, first);
}

void kws_bridge_ask(kws_bridge *b)
{
	b->next_status = kws_clock_mono() + status_every_s;
	if (!b->daemon || b->asked)
		return;
	b->asked = true;
	if (!b->ops->request(b->ctx, json_pack("{s:s}", "request", "status"), on_status, b))
		b->asked = false;
}

void kws_bridge_daemon_connected(kws_bridge *b)
{
	b->daemon = b->is_new = true;
	b->ops->request(b->ctx, json_pack("{s:s, s:b}", "request", "subscribe", "events", true),
			NULL, NULL);
	kws_bridge_ask(b);
}

void kws_bridge_daemon_lost(kws_bridge *b)
{
	b->daemon = false;
	kws_bridge_show(b, false);
}

/* What is known of a listener beside its status. */
static json_t *heard_by(kws_bridge *b, const char *listener)
{
	json_t *o = json_object_get(b->heard, listener);

	if (o)
		return o;
	json_object_set_new(b->heard, listener, json_object());
	return json_object_get(b->heard, listener);
}

void kws_bridge_note(kws_bridge *b, const json_t *event)
{
	static const char *const from[] = { "word", "snr_db", "start_time" }, *const to[] = {
		"last_word", "snr_db", "last_time"
	};
	json_t *o = heard_by(b, kws_site_text(event, "listener"));

	for (size_t i = 0; i < sizeof from / sizeof from[0]; i++)
		json_object_set(o, to[i], json_object_get(event, from[i]));
	kws_bridge_show(b, false);
}

/* ---- the board ---- */

static void put(kws_bridge *b, const char *topic, json_t *document)
{
	char *text = json_dumps(document, JSON_COMPACT | JSON_REAL_PRECISION(9));

	if (text)
		kws_board_put(b->board, topic, text);
	free(text);
	json_decref(document);
}

static void show_listener(kws_bridge *b, const json_t *listener, bool report)
{
	const char *name = kws_site_text(listener, "name");
	const bool on = json_is_true(json_object_get(listener, "enabled"));
	char topic[KWS_MQTT_TOPIC];
	json_t *heard = heard_by(b, name);

	if (report || !json_object_get(heard, "level_dbfs"))
		json_object_set(heard, "level_dbfs", json_object_get(listener, "level_dbfs"));
	json_object_set(heard, "state", json_object_get(listener, "state"));
	kws_board_put(b->board, kws_site_listener_topic(&b->site, name, "listening", topic),
		      on ? "ON" : "OFF");
	put(b, kws_site_listener_topic(&b->site, name, "sensors", topic), json_deep_copy(heard));
}

/* "None" is Home Assistant's word for no number. */
static void show_threshold(void *ctx, const char *model, const char *word, const json_t *threshold)
{
	kws_bridge *b = ctx;
	char topic[KWS_MQTT_TOPIC], text[32] = "None";

	if (json_is_number(threshold))
		snprintf(text, sizeof text, "%.6g", json_number_value(threshold));
	kws_board_put(b->board, kws_site_word_topic(&b->site, model, word, "threshold", topic),
		      text);
}

static void show_discovery(kws_bridge *b)
{
	json_t *now = kws_discovery(&b->site, b->status), *removal;

	if (!now)
		return;
	removal = b->discovery ? kws_discovery_removal(b->discovery, now) : NULL;
	if (removal)
		kws_bridge_publish(b, b->site.config, removal, true);
	json_decref(b->discovery);
	b->discovery = now;
	put(b, b->site.config, json_incref(now));
}

/* Look for what an earlier process has left on the broker: retained messages come after a
 * subscription. */
static void look_for_old(kws_bridge *b)
{
	static const char *const own[] = { "listener/+/listening", "listener/+/sensors",
					   "model/+/+/threshold" };
	char topic[KWS_MQTT_TOPIC];

	for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
		b->ops->subscribe(b->ctx, kws_site_topic(&b->site, own[i], topic), 0);
	if (*b->site.config)
		b->ops->subscribe(b->ctx, b->site.config, 0);
	b->cleaned = true;
}

void kws_bridge_clean(kws_bridge *b, const char *topic, const char *payload, size_t n)
{
	json_t *older, *removal;

	if (strcmp(topic, b->site.config) != 0) {
		if (n && kws_mqtt_is_topic(topic) && !kws_board_has(b->board, topic))
			b->ops->publish(b->ctx, topic, "", 0, 1, true, KWS_BRIDGE_OTHER);
		return;
	}
	older = json_loadb(payload, n, 0, NULL);
	removal = kws_discovery_removal(older, b->discovery);
	json_decref(older);
	if (!removal)
		return;
	kws_bridge_publish(b, b->site.config, removal, true);
	kws_bridge_publish(b, b->site.config, json_incref(b->discovery), true);
}

/* ---- the status document ---- */

/* Copy these members, if there are such. */
static json_t *part_of(const json_t *from, const char *const *keys)
{
	json_t *o = json_object();

	for (; *keys; keys++)
		json_object_set(o, *keys, json_object_get(from, *keys));
	return o;
}

static json_t *models_of(const json_t *status)
{
	static const char *const keys[] = { "name", "model", "model_hash", NULL };
	json_t *models = json_array(), *model;
	const json_t *listener, *spotter, *other;
	size_t i, k, m;

	json_array_foreach(json_object_get(status, "listeners"), i, listener)
		json_array_foreach(json_object_get(listener, "spotters"), k, spotter)
	{
		bool known = false;

		model = part_of(spotter, keys);
		json_array_foreach(models, m, other) known |= json_equal(other, model);
		if (known)
			json_decref(model);
		else
			json_array_append_new(models, model);
	}
	return models;
}

static json_t *listeners_of(const json_t *status, bool vitals)
{
	static const char *const essential[] = { "name",   "enabled", "state", "device",
						 "reason", "silent",  NULL };
	static const char *const all[] = {
		"name",	  "enabled",   "state",		  "device",	 "reason",
		"silent", "heard_s",   "events",	  "near_misses", "gaps",
		"gap_s",  "overflows", "dropped_samples", "level_dbfs",	 NULL
	};
	json_t *list = json_array();
	const json_t *listener;
	size_t i;

	json_array_foreach(json_object_get(status, "listeners"), i, listener)
		json_array_append_new(list, part_of(listener, vitals ? all : essential));
	return list;
}

static json_t *queue_of(const kws_bridge *b)
{
	kws_spool_stats st;

	kws_spool_stats_get(b->spool, &st);
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "waiting", (json_int_t)st.waiting,
			 "in_memory", (json_int_t)st.in_memory, "sent", (json_int_t)b->sent, "full",
			 (json_int_t)st.full, "old", (json_int_t)st.old, "damaged",
			 (json_int_t)st.damaged, "lost", (json_int_t)b->lost);
}

/* For who looks after many machines. Without vitals: what is worth a message when it changes. */
static json_t *report_of(const kws_bridge *b, bool vitals)
{
	static const char *const plain[] = { "version", "configuration_hash", "reload_error",
					     NULL };
	static const char *const counts[] = { "up_s", "cpu_s", "rss_mb", "reloads", NULL };
	char host[256] = "";
	json_t *o = json_pack("{s:s, s:s, s:s}", "site", b->site.name, "daemon",
			      b->daemon ? "running" : "away", "bridge_version", KWS_VERSION),
	       *more;

	gethostname(host, sizeof host - 1);
	json_object_set_new(o, "host", json_string(host));
	more = part_of(b->status, plain);
	json_object_update(o, more);
	json_decref(more);
	json_object_set_new(o, "models", models_of(b->status));
	json_object_set_new(o, "listeners", listeners_of(b->status, vitals));
	if (vitals) {
		more = part_of(b->status, counts);
		json_object_update(o, more);
		json_decref(more);
		json_object_set_new(o, "queue", queue_of(b));
	}
	return o;
}

static char *text_of(json_t *document)
{
	char *text = json_dumps(document, JSON_COMPACT | JSON_REAL_PRECISION(9));

	json_decref(document);
	return text;
}

static void show_report(kws_bridge *b, bool report)
{
	char *essence = text_of(report_of(b, false)), topic[KWS_MQTT_TOPIC];

	if (report || !b->report || !essence || !b->essence || strcmp(essence, b->essence) != 0) {
		free(b->report);
		b->report = text_of(report_of(b, true));
	}
	free(b->essence);
	b->essence = essence;
	if (b->report)
		kws_board_put(b->board, kws_site_topic(&b->site, "status", topic), b->report);
}

void kws_bridge_show(kws_bridge *b, bool report)
{
	const json_t *listener;
	size_t i;

	kws_board_begin(b->board);
	kws_board_put(b->board, b->availability, b->daemon && b->status ? "online" : "offline");
	show_report(b, report);
	json_array_foreach(json_object_get(b->status, "listeners"), i, listener)
		show_listener(b, listener, report);
	kws_site_each_word(b->status, show_threshold, b);
	if (b->status && *b->site.config)
		show_discovery(b);
	kws_board_end(b->board);
	if (b->online && b->status && !b->cleaned)
		look_for_old(b);
	kws_bridge_pump(b);
}
