/* fuzz_mqtt - any messages of a broker and any lines of a daemon to the bridge of kwsd-mqtt. What it publishes has a topic
 * without wildcards and a text that is JSON or plain; what it asks of kwsd is a request that kwsd knows. Each line of the
 * input is one of these:
 *     TOPIC TEXT        a message; ~ in front of it: retained, as all that an earlier process has left
 *     {"event": ...}    a line of the daemon
 *     ={"listeners"...  its status from now on
 * Accepted: something was asked of kwsd beside its status. */
#include "gateway/mqtt/bridge.h"
#include "gateway/mqtt/names.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

enum { MOST = 64 }; /* messages of one input that are answered at once */

static json_t *status;
static int asked;
static uint64_t flight[MOST];
static size_t n_flight;

static bool publish(void *ctx, const char *topic, const char *payload, size_t n, int qos,
		    bool retain, uint64_t token)
{
	(void)ctx;
	(void)retain;
	demand(kws_mqtt_is_topic(topic));
	demand(qos >= 0 && qos <= 2);
	demand(!memchr(payload, 0, n));
	if (n && (payload[0] == '{' || payload[0] == '[')) {
		json_t *o = json_loadb(payload, n, 0, NULL);

		demand(o != NULL);
		json_decref(o);
	}
	if (n_flight == MOST)
		return false;
	flight[n_flight++] = token;
	return true;
}

static bool subscribe(void *ctx, const char *topic, int qos)
{
	(void)ctx;
	demand(*topic && qos <= 2);
	return true;
}

static bool request(void *ctx, json_t *o, kws_control_answer_fn *fn, void *fn_ctx)
{
	static const char *const known[] = { "status", "version", "subscribe",
					     "set",    "listen",  "reload" };
	const char *name = json_string_value(json_object_get(o, "request"));
	json_t *answer = json_pack("{s:b, s:O}", "ok", true, "status", status);
	size_t i = 0;

	(void)ctx;
	demand(name != NULL);
	while (i < sizeof known / sizeof known[0] && strcmp(known[i], name) != 0)
		i++;
	demand(i < sizeof known / sizeof known[0]);
	asked += strcmp(name, "status") != 0 && strcmp(name, "subscribe") != 0;
	if (fn)
		fn(fn_ctx, answer);
	json_decref(answer);
	json_decref(o);
	return true;
}

static const kws_bridge_ops ops = { publish, subscribe, request };

static void acknowledge(kws_bridge *b)
{
	while (n_flight)
		kws_bridge_sent(b, flight[--n_flight]);
}

/* One line (n,), which ends with a 0. */
static void take(kws_bridge *b, char *line)
{
	json_t *o;

	if (*line == '=' || *line == '{') {
		o = json_loads(line + (*line == '='), 0, NULL);
		if (*line == '=' && json_is_object(o)) {
			json_decref(status);
			status = json_incref(o);
			kws_bridge_daemon_connected(b);
		} else if (o) {
			kws_bridge_daemon_line(b, o);
		}
		json_decref(o);
		return;
	}
	const bool retained = *line == '~';
	char *topic = line + retained, *text = strchr(topic, ' ');

	if (text)
		*text++ = 0;
	text = text ? text : topic + strlen(topic);
	kws_bridge_message(b, topic, text, strlen(text), retained);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const kws_conf_mqtt conf = { .site = "a",
					    .topic = "k",
					    .discovery = "h",
					    .qos = 2,
					    .hermes = KWS_YES,
					    .interval_s = 1,
					    .late_s = 30,
					    .spool_kb = 64,
					    .spool_age_s = 60 };
	kws_bridge *b = NULL;

	asked = 0;
	n_flight = 0;
	status = json_loads(
		"{\"listeners\":[{\"name\":\"\",\"enabled\":true,\"spotters\":[{\"name\":"
		"\"\",\"words\":{\"yes\":0.5,\"a/b\":null}}]}]}",
		0, NULL);
	demand(kws_bridge_create(&b, &conf, &ops, NULL, NULL) == KWS_OK);
	kws_bridge_connected(b);
	kws_bridge_daemon_connected(b);
	for (size_t at = 0; at < size;) {
		char line[4096];
		const uint8_t *end = memchr(data + at, '\n', size - at);
		const size_t n = (end ? (size_t)(end - data) : size) - at;

		snprintf(line, sizeof line, "%.*s", (int)(n < 4095 ? n : 4095),
			 (const char *)data + at);
		if (*line)
			take(b, line);
		kws_bridge_tick(b);
		acknowledge(b);
		at += n + 1;
	}
	kws_bridge_stop(b);
	kws_bridge_daemon_lost(b);
	kws_bridge_destroy(b);
	json_decref(status);
	fuzz_accepted = asked > 0;
	return 0;
}
