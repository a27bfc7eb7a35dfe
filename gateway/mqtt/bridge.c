#include "gateway/mqtt/bridge_parts.h"

#include "find_model.h"
#include "runtime/clock.h"
#include "runtime/log.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How long events wait after the broker has come back. */
static const double hold_s = 2.0;

/* ---- create ---- */

void kws_bridge_spool_path(const kws_conf_mqtt *c, char path[4096])
{
	if (!strcmp(c->spool, "auto"))
		kws_find_of_service("STATE_DIRECTORY", "events.spool", path, 4096);
	else
		snprintf(path, 4096, "%s", c->spool);
}

static enum kws_status open_spool(kws_bridge *b, kws_error *err)
{
	const kws_conf_mqtt *c = b->site.conf;
	char path[4096];
	const kws_spool_config conf = { path, (size_t)c->spool_kb * 1024, c->spool_age_s };
	kws_spool_stats st;
	enum kws_status status;

	kws_bridge_spool_path(c, path);
	if (*path)
		snprintf(b->mute_path, sizeof b->mute_path, "%s.muted", path);
	status = kws_spool_open(&b->spool, &conf, kws_clock_wall(), err);
	if (status != KWS_OK)
		return status;
	kws_spool_stats_get(b->spool, &st);
	if (st.damaged)
		kws_log(KWS_LOG_WARNING, "%s: %lu lines were damaged, and are lost", path,
			st.damaged);
	if (st.waiting)
		kws_log(KWS_LOG_INFO, "%zu events wait for the broker", st.waiting);
	return KWS_OK;
}

enum kws_status kws_bridge_create(kws_bridge **out, const kws_conf_mqtt *c,
				  const kws_bridge_ops *ops, void *ctx, kws_error *err)
{
	kws_bridge *b = calloc(1, sizeof *b);
	enum kws_status status = KWS_ERR_NOMEM;

	*out = NULL;
	if (!b)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	kws_site_init(&b->site, c);
	b->ops = ops;
	b->ctx = ctx;
	b->board = kws_board_create();
	b->heard = json_object();
	kws_site_topic(&b->site, "availability", b->availability);
	if (b->board && b->heard)
		status = open_spool(b, err);
	else
		kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	if (status != KWS_OK) {
		kws_bridge_destroy(b);
		return status;
	}
	kws_bridge_load_mutes(b);
	kws_bridge_show(b, true);
	*out = b;
	return KWS_OK;
}

void kws_bridge_destroy(kws_bridge *b)
{
	if (!b)
		return;
	kws_spool_close(b->spool);
	kws_board_destroy(b->board);
	json_decref(b->status);
	json_decref(b->heard);
	json_decref(b->discovery);
	free(b->report);
	free(b->essence);
	free(b);
}

const char *kws_bridge_availability(const kws_bridge *b)
{
	return b->availability;
}

void kws_bridge_client_id(const kws_bridge *b, char *text, size_t n)
{
	const char *named = b->site.conf->client_id;

	snprintf(text, n, "%s%s", *named ? "" : "kwsd-", *named ? named : b->site.name);
}

/* ---- events ---- */

/* An event as a message: with what Home Assistant wants of one. late: it starts nothing. */
static char *message_of(const json_t *event, double delay_s, bool late)
{
	json_t *o = json_pack("{s:s, s:f, s:b}", "event_type", kws_site_text(event, "word"),
			      "delay_s", round(1e3 * delay_s) / 1e3, "late", late);
	char *text;

	json_object_update(o, (json_t *)(uintptr_t)event);
	text = json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(9));
	json_decref(o);
	return text;
}

static bool publish_hermes(kws_bridge *b, const json_t *event, uint64_t token)
{
	const int qos = b->site.conf->qos > 0 ? 1 : 0;
	char topic[KWS_MQTT_TOPIC];
	json_t *o = kws_hermes_detected(&b->site, event, topic);
	char *text = json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(9));
	const bool done =
		text && b->ops->publish(b->ctx, topic, text, strlen(text), qos, false, token);

	free(text);
	json_decref(o);
	return done;
}

/* Returns the number of messages that were handed over; 0: none, for now. */
static unsigned publish_event(kws_bridge *b, const json_t *event, const kws_spool_event *e)
{
	const kws_conf_mqtt *c = b->site.conf;
	const double delay_s = fmax(kws_clock_wall() - e->time, 0.0);
	const bool late = delay_s > c->late_s;
	const uint64_t token = KWS_BRIDGE_EVENT + e->number;
	char topic[KWS_MQTT_TOPIC], *text = message_of(event, delay_s, late);
	unsigned parts = 0;

	kws_site_listener_topic(&b->site, kws_site_text(event, "listener"), "event", topic);
	if (text && b->ops->publish(b->ctx, topic, text, strlen(text), (int)c->qos, false, token))
		parts++;
	if (parts && c->hermes && !late)
		parts += publish_hermes(b, event, token);
	free(text);
	return parts;
}

static void pump_events(kws_bridge *b)
{
	kws_spool_event e;

	if (kws_clock_mono() < b->hold_until)
		return;
	while (b->n_flight < KWS_BRIDGE_EVENTS && kws_spool_next(b->spool, b->handed, &e)) {
		json_t *event = json_loadb(e.text, e.n, 0, NULL);
		const unsigned parts = event ? publish_event(b, event, &e) : 0;

		if (event && !parts) {
			json_decref(event);
			return;
		}
		b->handed = e.number;
		if (event)
			b->flight[b->n_flight++] = (kws_bridge_flight){ e.number, parts };
		else
			kws_spool_done(b->spool, e.number);
		json_decref(event);
	}
}

static bool publish_board(void *ctx, const char *topic, const char *text, size_t n)
{
	kws_bridge *b = ctx;

	if (b->board_flight >= KWS_BRIDGE_BOARDS
	    || !b->ops->publish(b->ctx, topic, text, n, 1, true, KWS_BRIDGE_BOARD))
		return false;
	b->board_flight++;
	return true;
}

void kws_bridge_pump(kws_bridge *b)
{
	if (!b->online)
		return;
	pump_events(b);
	kws_board_publish(b->board, publish_board, b);
}

void kws_bridge_sent(kws_bridge *b, uint64_t token)
{
	if (token == KWS_BRIDGE_BOARD)
		b->board_flight--;
	for (size_t i = 0; token >= KWS_BRIDGE_EVENT && i < b->n_flight; i++) {
		kws_bridge_flight *f = &b->flight[i];

		if (f->number != token - KWS_BRIDGE_EVENT)
			continue;
		if (--f->parts == 0) {
			kws_spool_done(b->spool, f->number);
			*f = b->flight[--b->n_flight];
			b->sent++;
		}
		break;
	}
	kws_bridge_pump(b);
}

static void add_event(kws_bridge *b, const json_t *event)
{
	char *text = json_dumps(event, JSON_COMPACT | JSON_REAL_PRECISION(9));
	kws_error err = { "out of memory" };
	enum kws_status status = KWS_ERR_NOMEM;

	if (text)
		status = kws_spool_add(b->spool, kws_site_text(event, "id"), text, strlen(text),
				       kws_clock_wall(), &err);
	free(text);
	if (status != KWS_OK && (status != KWS_ERR_IO || !b->disk_told))
		kws_log(KWS_LOG_ERROR, "%s%s", err.text,
			status == KWS_ERR_IO ? "; events wait in memory" : ": an event is lost");
	if (status == KWS_OK && b->disk_told)
		kws_log(KWS_LOG_INFO, "the disk takes events again");
	b->disk_told = status == KWS_ERR_IO;
	b->lost += (unsigned long)json_integer_value(json_object_get(event, "dropped"));
}

void kws_bridge_daemon_line(kws_bridge *b, const json_t *line)
{
	const json_t *event = json_object_get(line, "event");

	if (!json_is_object(event))
		return;
	add_event(b, event);
	kws_bridge_note(b, event);
	kws_bridge_pump(b);
}

/* ---- the broker ---- */

void kws_bridge_publish(kws_bridge *b, const char *topic, json_t *document, bool retain)
{
	char *text = json_dumps(document, JSON_COMPACT | JSON_REAL_PRECISION(9));

	if (text)
		b->ops->publish(b->ctx, topic, text, strlen(text), 1, retain, KWS_BRIDGE_OTHER);
	free(text);
	json_decref(document);
}

void kws_bridge_fail(kws_bridge *b, const char *topic, const char *error)
{
	char to[KWS_MQTT_TOPIC];
	json_t *o = json_pack("{s:s*, s:s}", "topic", topic, "error", error);

	kws_log(KWS_LOG_WARNING, "%s%s%s", topic ? topic : "", topic ? ": " : "", error);
	kws_bridge_publish(b, kws_site_topic(&b->site, "error", to), o, false);
}

void kws_bridge_connected(kws_bridge *b)
{
	static const char *const own[] = { "listener/+/listening/set", "model/+/+/threshold/set",
					   "request" };
	static const char *const hermes[] = { "hermes/hotword/toggleOn", "hermes/hotword/toggleOff",
					      "rhasspy/hotword/getHotwords" };
	char topic[KWS_MQTT_TOPIC];

	/* who hears events has lost the broker, too, and needs a moment to come back */
	if (b->was_away)
		b->hold_until = kws_clock_mono() + hold_s;
	b->online = true;
	b->cleaned = false;
	for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
		b->ops->subscribe(b->ctx, kws_site_topic(&b->site, own[i], topic), 1);
	if (*b->site.birth)
		b->ops->subscribe(b->ctx, b->site.birth, 0);
	for (size_t i = 0; b->site.conf->hermes && i < sizeof hermes / sizeof hermes[0]; i++)
		b->ops->subscribe(b->ctx, hermes[i], 1);
	kws_board_renew(b->board);
	kws_bridge_show(b, true);
}

void kws_bridge_lost(kws_bridge *b)
{
	b->online = false;
	b->was_away = true;
}

void kws_bridge_forgotten(kws_bridge *b)
{
	b->n_flight = b->board_flight = 0;
	b->handed = 0;
}

/* ---- time ---- */

void kws_bridge_tick(kws_bridge *b)
{
	const double now = kws_clock_mono();
	const bool report = now >= b->next_report;

	kws_spool_tidy(b->spool, kws_clock_wall());
	if (b->daemon && now >= b->next_status)
		kws_bridge_ask(b);
	if (b->renew_at > 0.0 && now >= b->renew_at) {
		b->renew_at = 0.0;
		kws_board_renew(b->board);
	}
	if (report) {
		b->next_report = now + b->site.conf->interval_s;
		kws_bridge_show(b, true);
	}
	kws_bridge_pump(b);
}

void kws_bridge_status(const kws_bridge *b, char *text, size_t n)
{
	kws_spool_stats st;

	kws_spool_stats_get(b->spool, &st);
	snprintf(text, n, "%s; %s; %lu events sent, %zu wait, %lu dropped",
		 b->online ? "Connected to the broker" : "The broker is away",
		 b->daemon ? "kwsd is there" : "kwsd is away", b->sent, st.waiting,
		 st.full + st.old + st.damaged + b->lost);
}
