/* kwsd-mqtt - brings what kwsd hears to an MQTT broker, and its commands to kwsd. See kwsd-mqtt(8). */
#include "gateway/mqtt/bridge.h"
#include "gateway/mqtt/settings.h"
#include "gateway/program.h"
#include "runtime/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const double tick_s = 0.5;
enum { STOP_MS = 1000, STEPS = 10, STEP_MS = 20, REASONS = 8 };

typedef struct {
	kws_loop *loop;
	kws_conf_mqtt conf; /* in force */
	char control_path[KWS_CONTROL_CLIENT_PATH];
	kws_bridge *bridge;
	kws_broker *broker;
	kws_control_client *control;
	kws_timer tick;
	char why[REASONS][256]; /* failures since the last connection that the log has */
	size_t n_why;
} gateway;

/* ---- kwsd ---- */

static void on_daemon(void *ctx)
{
	kws_bridge_daemon_connected(((gateway *)ctx)->bridge);
}

static void on_daemon_line(void *ctx, const json_t *line)
{
	kws_bridge_daemon_line(((gateway *)ctx)->bridge, line);
}

static void on_daemon_lost(void *ctx, const char *why)
{
	(void)why;
	kws_bridge_daemon_lost(((gateway *)ctx)->bridge);
}

static const kws_control_client_ops control_ops = { on_daemon, on_daemon_line, on_daemon_lost };

/* ---- the broker ---- */

static void on_connected(void *ctx)
{
	gateway *g = ctx;

	kws_log(KWS_LOG_INFO, "connected to the broker %s", g->conf.host);
	g->n_why = 0;
	kws_bridge_connected(g->bridge);
}

/* The log has each reason once until there is a connection. */
static void on_lost(void *ctx, const char *why)
{
	gateway *g = ctx;
	const size_t n = strlen(why); /* the library's texts are sentences */
	const int shown = (int)(n && why[n - 1] == '.' ? n - 1 : n);
	size_t i = 0;

	while (i < g->n_why && strcmp(g->why[i], why) != 0)
		i++;
	if (i == g->n_why && i < REASONS) {
		kws_log(KWS_LOG_WARNING, "broker %s: %.*s; trying again", g->conf.host, shown, why);
		snprintf(g->why[g->n_why++], sizeof g->why[0], "%s", why);
	}
	kws_bridge_lost(g->bridge);
}

static void on_forgotten(void *ctx)
{
	kws_bridge_forgotten(((gateway *)ctx)->bridge);
}

static void on_sent(void *ctx, uint64_t token)
{
	kws_bridge_sent(((gateway *)ctx)->bridge, token);
}

static void on_message(void *ctx, const char *topic, const char *payload, size_t n, bool retained)
{
	kws_bridge_message(((gateway *)ctx)->bridge, topic, payload, n, retained);
}

static const kws_broker_ops broker_ops = { on_connected, on_lost, on_forgotten, on_sent,
					   on_message };

static void on_broker(void *ctx, unsigned events)
{
	(void)events;
	kws_broker_serve(((gateway *)ctx)->broker);
}

/* ---- the bridge ---- */

static bool publish(void *ctx, const char *topic, const char *payload, size_t n, int qos,
		    bool retain, uint64_t token)
{
	return kws_broker_publish(((gateway *)ctx)->broker, topic, payload, n, qos, retain, token);
}

static bool subscribe(void *ctx, const char *topic, int qos)
{
	return kws_broker_subscribe(((gateway *)ctx)->broker, topic, qos);
}

static bool request(void *ctx, json_t *o, kws_control_answer_fn *fn, void *fn_ctx)
{
	return kws_control_client_request(((gateway *)ctx)->control, o, fn, fn_ctx);
}

static const kws_bridge_ops bridge_ops = { publish, subscribe, request };

static void on_tick(void *ctx)
{
	kws_bridge_tick(((gateway *)ctx)->bridge);
}

/* ---- start and stop ---- */

static void close_all(gateway *g)
{
	kws_loop_cancel(g->loop, &g->tick);
	if (g->broker)
		kws_loop_remove(g->loop, kws_broker_fd(g->broker));
	kws_control_client_destroy(g->control);
	g->control = NULL;
	kws_broker_stop(g->broker, STOP_MS);
	g->broker = NULL;
	kws_bridge_destroy(g->bridge);
	g->bridge = NULL;
}

static enum kws_status open_broker(gateway *g, kws_error *err)
{
	static kws_broker_config c;
	enum kws_status status = kws_mqtt_settings(&g->conf, &c, err);

	if (status == KWS_OK) {
		kws_bridge_client_id(g->bridge, c.client_id, sizeof c.client_id);
		snprintf(c.will_topic, sizeof c.will_topic, "%s",
			 kws_bridge_availability(g->bridge));
		snprintf(c.will, sizeof c.will, "offline");
		status = kws_broker_create(&g->broker, &c, &broker_ops, g, err);
	}
	memset(&c, 0, sizeof c);
	if (status == KWS_OK)
		status = kws_loop_add(g->loop, kws_broker_fd(g->broker), KWS_LOOP_READ, on_broker,
				      g, err);
	return status;
}

/* Open everything for g->conf and g->control_path. On failure nothing is open. */
static enum kws_status open_all(gateway *g, kws_error *err)
{
	enum kws_status status = kws_bridge_create(&g->bridge, &g->conf, &bridge_ops, g, err);

	g->n_why = 0;
	if (status == KWS_OK)
		status = open_broker(g, err);
	if (status == KWS_OK)
		status = kws_control_client_create(&g->control, g->loop, g->control_path,
						   &control_ops, g, err);
	if (status == KWS_OK)
		kws_loop_time(g->loop, &g->tick, tick_s, tick_s, on_tick, g);
	else
		close_all(g);
	return status;
}

static enum kws_status check(const kws_conf *c, kws_error *err)
{
	return kws_mqtt_settings_check(&c->mqtt, err);
}

static enum kws_status start(void **self, kws_loop *loop, const kws_conf *c, kws_error *err)
{
	gateway *g = calloc(1, sizeof *g);
	enum kws_status status;

	if (!g)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	g->loop = loop;
	g->conf = c->mqtt;
	kws_control_client_path(c, g->control_path);
	status = open_all(g, err);
	if (status == KWS_OK)
		*self = g;
	else
		free(g);
	return status;
}

static enum kws_status reload(void *self, const kws_conf *c, kws_error *err)
{
	gateway *g = self;
	const kws_conf_mqtt was = g->conf;
	char control_path[KWS_CONTROL_CLIENT_PATH], was_path[KWS_CONTROL_CLIENT_PATH];
	enum kws_status status;
	kws_error again = { "" };

	kws_control_client_path(c, control_path);
	snprintf(was_path, sizeof was_path, "%s", g->control_path);
	/* the file of events can be open only once, and files of secrets may have new content */
	close_all(g);
	g->conf = c->mqtt;
	snprintf(g->control_path, sizeof g->control_path, "%s", control_path);
	status = open_all(g, err);
	if (status == KWS_OK)
		return KWS_OK;
	g->conf = was;
	snprintf(g->control_path, sizeof g->control_path, "%s", was_path);
	if (open_all(g, &again) != KWS_OK) {
		kws_log(KWS_LOG_ERROR, "%s; ending", again.text);
		kws_loop_stop(g->loop);
	}
	return status;
}

static void status_of(void *self, char *text, size_t n)
{
	const gateway *g = self;

	text[0] = 0;
	if (g->bridge)
		kws_bridge_status(g->bridge, text, n);
}

static void stop(void *self)
{
	gateway *g = self;

	if (g->bridge) {
		kws_bridge_stop(g->bridge);
		for (int i = 0; i < STEPS; i++) /* requests go out in the loop */
			kws_loop_step(g->loop, STEP_MS, NULL);
	}
	close_all(g);
	free(g);
}

static const char *const sections[] = { "mqtt", "control", "log", NULL };

static const kws_gateway mqtt = {
	.name = "kwsd-mqtt",
	.what = "Bring what kwsd hears to an MQTT broker, and its commands to kwsd.",
	.sections = sections,
	.check = check,
	.start = start,
	.reload = reload,
	.status = status_of,
	.stop = stop,
};

int main(int argc, char **argv)
{
	const int status = kws_gateway_main(&mqtt, argc, argv);

	fflush(NULL);
	_exit(status); /* a thread of the broker may hang in the network, and use what exit frees */
}
