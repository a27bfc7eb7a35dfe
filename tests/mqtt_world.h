/* mqtt_world.h - a bridge of kwsd-mqtt between a daemon and a broker that are only played, on the fake
 * clock. */
#ifndef KWS_TESTS_MQTT_WORLD_H
#define KWS_TESTS_MQTT_WORLD_H

#include "tests/mqtt.h"

#include "gateway/mqtt/bridge.h"
#include "tests/fake/clock.h"

#include <sys/stat.h>
#include <unistd.h>

enum { MOST = 256 };

typedef struct {
	char topic[300];
	char *text;
	int qos;
	bool retain;
	uint64_t token;
} message;

static struct {
	bool online, daemon;
	message sent[MOST];
	size_t n, acknowledged;
	char subscribed[MOST][300];
	size_t n_subscribed;
	char asked[MOST][300];
	size_t n_asked;
	json_t *status;
	char error[80]; /* answer of the daemon to set and listen; "": ok */
} world;

static kws_bridge *bridge;
static kws_conf_mqtt conf;
static char spool[] = "/tmp/kws-bridge.XXXXXX";

/* ---- the players ---- */

__attribute__((unused)) static bool publish(void *ctx, const char *topic, const char *payload,
					    size_t n, int qos, bool retain, uint64_t token)
{
	message *m = &world.sent[world.n];

	(void)ctx;
	if (!world.online)
		return false;
	assert_in_range(world.n, 0, MOST - 1);
	snprintf(m->topic, sizeof m->topic, "%s", topic);
	m->text = strndup(payload, n);
	m->qos = qos;
	m->retain = retain;
	m->token = token;
	world.n++;
	return true;
}

__attribute__((unused)) static bool subscribe(void *ctx, const char *topic, int qos)
{
	(void)ctx;
	(void)qos;
	assert_in_range(world.n_subscribed, 0, MOST - 1);
	snprintf(world.subscribed[world.n_subscribed++], 300, "%s", topic);
	return true;
}

/* The daemon obeys. */
static void enable(const json_t *asked)
{
	json_t *l;
	size_t i;

	json_array_foreach(
		json_object_get(world.status, "listeners"), i,
		l) if (json_equal(json_object_get(l, "name"), json_object_get(asked, "listener")))
		json_object_set(l, "enabled", json_object_get(asked, "on"));
}

__attribute__((unused)) static bool request(void *ctx, json_t *o, kws_control_answer_fn *fn,
					    void *fn_ctx)
{
	const char *name = json_string_value(json_object_get(o, "request"));
	json_t *answer;

	(void)ctx;
	if (!world.daemon) {
		json_decref(o);
		return false;
	}
	answer = json_pack("{s:b, s:s, s:i}", "ok", true, "request", name, "id", 77);
	if (!strcmp(name, "status")) {
		json_object_set_new(answer, "status", json_deep_copy(world.status));
	} else {
		char *text = json_dumps(o, JSON_COMPACT);

		assert_in_range(world.n_asked, 0, MOST - 1);
		snprintf(world.asked[world.n_asked++], 300, "%s", text);
		free(text);
		if (!strcmp(name, "listen"))
			enable(o);
		if (*world.error) {
			json_object_set_new(answer, "ok", json_false());
			json_object_set_new(answer, "error", json_string(world.error));
		}
	}
	if (fn)
		fn(fn_ctx, answer);
	json_decref(answer);
	json_decref(o);
	return true;
}

static const kws_bridge_ops ops = { publish, subscribe, request };

/* ---- steps ---- */

/* Acknowledges, and forgets what was published, subscribed and asked. */
__attribute__((unused)) static void acknowledge(void);
__attribute__((unused)) static void forget(void)
{
	if (bridge)
		acknowledge();
	while (world.n)
		free(world.sent[--world.n].text);
	world.n_subscribed = world.n_asked = world.acknowledged = 0;
}

/* The broker says that it has a message. */
__attribute__((unused)) static void acknowledge_one(void)
{
	kws_bridge_sent(bridge, world.sent[world.acknowledged++].token);
}

/* It has all, also those that this causes. */
__attribute__((unused)) static void acknowledge(void)
{
	while (world.acknowledged < world.n)
		acknowledge_one();
}

__attribute__((unused)) static void open_bridge(void)
{
	kws_error err = { "" };

	if (kws_bridge_create(&bridge, &conf, &ops, NULL, &err) != KWS_OK)
		fail_msg("%s", err.text);
}

static void close_bridge(void)
{
	kws_bridge_destroy(bridge);
	bridge = NULL;
}

__attribute__((unused)) static void go_online(void)
{
	world.online = true;
	kws_bridge_connected(bridge);
	acknowledge();
}

__attribute__((unused)) static void go_offline(void)
{
	world.online = false;
	kws_bridge_lost(bridge);
}

__attribute__((unused)) static void daemon_comes(json_t *status)
{
	json_decref(world.status);
	world.status = status;
	world.daemon = true;
	kws_bridge_daemon_connected(bridge);
	acknowledge();
}

__attribute__((unused)) static void daemon_goes(void)
{
	world.daemon = false;
	kws_bridge_daemon_lost(bridge);
}

__attribute__((unused)) static void say(const char *word, int i)
{
	json_t *line = json_pack("{s:{s:s, s:o, s:f, s:f, s:f}}", "event", "word", word, "id",
				 json_sprintf("id-%d", i), "snr_db", 12.5, "threshold", 0.75,
				 "score", 0.9);

	kws_bridge_daemon_line(bridge, line);
	json_decref(line);
}

__attribute__((unused)) static void tell(const char *topic, const char *text, bool retained)
{
	kws_bridge_message(bridge, topic, text, strlen(text), retained);
	acknowledge();
}

__attribute__((unused)) static void pass(double s)
{
	for (double t = 0.0; t < s; t += 0.5) {
		fake_clock_pass(0.5);
		kws_bridge_tick(bridge);
	}
	acknowledge();
}

__attribute__((unused)) static json_t *usual(void)
{
	return status_with(one_listener("", "", "{\"yes\": 0.8, \"no\": 0.5}"), NULL);
}

__attribute__((unused)) static int set_up(void **state)
{
	(void)state;
	memset(&world, 0, sizeof world);
	conf = (kws_conf_mqtt){ .site = "kitchen",
				.topic = "kwsd",
				.discovery = "ha",
				.qos = 2,
				.hermes = KWS_YES,
				.interval_s = 30,
				.late_s = 30,
				.spool_kb = 64,
				.spool_age_s = 3600 };
	strcpy(spool, "/tmp/kws-bridge.XXXXXX");
	assert_non_null(mkdtemp(spool));
	snprintf(conf.spool, sizeof conf.spool, "%s/events", spool);
	fake_clock_start(1.7e9);
	open_bridge();
	return 0;
}

__attribute__((unused)) static int tear_down(void **state)
{
	char path[300];

	(void)state;
	close_bridge();
	fake_clock_stop();
	forget();
	json_decref(world.status);
	unlink(conf.spool);
	snprintf(path, sizeof path, "%s.muted", conf.spool);
	unlink(path);
	return rmdir(spool);
}

/* ---- what was published ---- */

__attribute__((unused)) static const message *last(const char *topic)
{
	for (size_t i = world.n; i > 0; i--)
		if (!strcmp(world.sent[i - 1].topic, topic))
			return &world.sent[i - 1];
	return NULL;
}

__attribute__((unused)) static size_t count(const char *topic)
{
	size_t n = 0;

	for (size_t i = 0; i < world.n; i++)
		n += !strcmp(world.sent[i].topic, topic);
	return n;
}

__attribute__((unused)) static void assert_last(const char *topic, const char *want)
{
	const message *m = last(topic);

	if (!m || strcmp(m->text, want) != 0)
		fail_msg("%s is %s, not %s", topic, m ? m->text : "missing", want);
}

__attribute__((unused)) static void assert_contains(const char *topic, const char *want)
{
	const message *m = last(topic);

	if (!m || !strstr(m->text, want))
		fail_msg("%s is %s, without %s", topic, m ? m->text : "missing", want);
}

__attribute__((unused)) static void assert_asked(const char *want)
{
	for (size_t i = 0; i < world.n_asked; i++)
		if (!strcmp(world.asked[i], want))
			return;
	fail_msg("nobody asked %s, but %s", want, world.n_asked ? world.asked[0] : "nothing");
}

__attribute__((unused)) static bool is_subscribed(const char *topic)
{
	for (size_t i = 0; i < world.n_subscribed; i++)
		if (!strcmp(world.subscribed[i], topic))
			return true;
	return false;
}

static const char event_topic[] = "kwsd/kitchen/listener/default/event",
		  availability[] = "kwsd/kitchen/availability",
		  listening[] = "kwsd/kitchen/listener/default/listening",
		  set_listening[] = "kwsd/kitchen/listener/default/listening/set",
		  set_yes[] = "kwsd/kitchen/model/default/yes/threshold/set",
		  config[] = "ha/device/kwsd_kitchen/config";

#endif
