#include "gateway/mqtt/bridge_parts.h"

#include "number.h"
#include "runtime/clock.h"
#include "runtime/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

/* A request of ours or of somebody at the broker, until it is answered. */
typedef struct {
	kws_bridge *b;
	json_t *id;		    /* of the message; NULL: none */
	bool forward;		    /* the answer is to be published */
	char topic[KWS_MQTT_TOPIC]; /* of the message */
} asked;

static void answer(kws_bridge *b, const asked *a, const json_t *answer)
{
	json_t *o = json_deep_copy(answer);
	char topic[KWS_MQTT_TOPIC];

	json_object_del(o, "id");
	if (a->id)
		json_object_set(o, "id", a->id);
	kws_bridge_publish(b, kws_site_topic(&b->site, "answer", topic), o, false);
}

static void on_answer(void *ctx, const json_t *line)
{
	asked *a = ctx;
	kws_bridge *b = a->b;
	json_t *away = json_pack("{s:b, s:s, s:s}", "ok", false, "code", "failed", "error",
				 "kwsd is away");

	if (!line)
		line = away;
	if (a->forward)
		answer(b, a, line);
	else if (!json_is_true(json_object_get(line, "ok"))) {
		kws_bridge_fail(b, a->topic, kws_site_text(line, "error"));
		kws_board_renew(b->board); /* whoever has set it may show what is not so */
	}
	json_decref(away);
	json_decref(a->id);
	free(a);
	kws_bridge_ask(b);
	kws_bridge_pump(b);
}

/* Takes the reference of request. */
static void ask(kws_bridge *b, const char *topic, json_t *request, bool forward)
{
	asked *a = calloc(1, sizeof *a);

	if (!a || !request) {
		json_decref(request);
		free(a);
		return;
	}
	a->b = b;
	a->id = json_incref(json_object_get(request, "id"));
	a->forward = forward;
	snprintf(a->topic, sizeof a->topic, "%s", topic);
	if (!b->ops->request(b->ctx, request, on_answer, a))
		on_answer(a, NULL);
}

/* ---- what may be set ---- */

static bool read_switch(const char *text, bool *on)
{
	static const char *const yes[] = { "on", "true", "yes", "1" }, *const no[] = { "off",
										       "false",
										       "no", "0" };

	for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
		*on = !strcasecmp(text, yes[i]);
		if (*on || !strcasecmp(text, no[i]))
			return true;
	}
	return false;
}

/* False: the topic is not that of a switch. */
static bool set_listening(kws_bridge *b, const char *topic, const char *payload)
{
	char own[KWS_MQTT_TOPIC];
	const json_t *listener;
	bool on;
	size_t i;

	json_array_foreach(json_object_get(b->status, "listeners"), i, listener)
	{
		const char *name = kws_site_text(listener, "name");

		kws_site_listener_topic(&b->site, name, "listening/set", own);
		if (strcmp(topic, own) != 0)
			continue;
		if (!read_switch(payload, &on)) {
			kws_bridge_fail(b, topic, "want ON or OFF");
			return true;
		}
		kws_bridge_unmute(b, name, on);
		ask(b, topic,
		    json_pack("{s:s, s:b, s:s, s:b}", "request", "listen", "on", on, "listener",
			      name, "keep", true),
		    false);
		return true;
	}
	return false;
}

typedef struct {
	kws_bridge *b;
	const char *topic, *payload;
	bool found;
} setting;

static void set_threshold(void *ctx, const char *model, const char *word, const json_t *threshold)
{
	setting *s = ctx;
	char own[KWS_MQTT_TOPIC];
	json_t *value, *key;
	double v;

	(void)threshold;
	kws_site_word_topic(&s->b->site, model, word, "threshold/set", own);
	if (s->found || strcmp(own, s->topic) != 0)
		return;
	s->found = true;
	if (!strcasecmp(s->payload, "off") || !strcasecmp(s->payload, "model"))
		value = json_string(strcasecmp(s->payload, "off") != 0 ? "model" : "off");
	else if (kws_number_real(s->payload, 0.0, 1.0, &v))
		value = json_real(v);
	else {
		kws_bridge_fail(s->b, s->topic, "want a number in 0..1, off or model");
		return;
	}
	key = json_sprintf("threshold%s%s.%s", *model ? " " : "", model, word);
	ask(s->b, s->topic,
	    json_pack("{s:s, s:{s:o}, s:b}", "request", "set", "values", json_string_value(key),
		      value, "keep", true),
	    false);
	json_decref(key);
}

/* ---- requests as they are ---- */

static void forward(kws_bridge *b, const char *topic, const char *payload, size_t n)
{
	static const char *const allowed[] = { "version", "status", "set", "listen", "reload" };
	json_error_t e;
	json_t *o = json_loadb(payload, n, JSON_REJECT_DUPLICATES, &e);
	const char *name = kws_site_text(o, "request");

	for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++)
		if (!strcmp(name, allowed[i])) {
			ask(b, topic, o, true);
			return;
		}
	kws_bridge_fail(b, topic,
			o ? "request: want version, status, set, listen or reload" : e.text);
	json_decref(o);
}

/* ---- messages ---- */

static void on_birth(kws_bridge *b)
{
	uint16_t bits = 0;

	/* a thousand machines do not answer at once */
	if (getrandom(&bits, sizeof bits, GRND_NONBLOCK) < 0)
		bits = 0;
	b->renew_at = kws_clock_mono() + 2.0 * bits / 65536.0;
}

static bool is_of_hermes(const char *topic)
{
	return !strncmp(topic, "hermes/", 7) || !strncmp(topic, "rhasspy/", 8);
}

static void on_hermes(kws_bridge *b, const char *topic, const char *payload, size_t n)
{
	json_error_t e;
	json_t *o = json_loadb(payload, n, 0, &e);

	if (json_is_object(o)) {
		kws_bridge_hermes(b, topic, o);
	} else {
		kws_bridge_fail(b, topic, "want a JSON object");
		kws_bridge_publish(b, "hermes/error/hotword",
				   json_pack("{s:s, s:s, s:s}", "error", "want a JSON object",
					     "siteId", b->site.name, "context", topic),
				   false);
	}
	json_decref(o);
}

static bool ends_in(const char *text, const char *end)
{
	const size_t n = strlen(text), k = strlen(end);

	return n >= k && !strcmp(text + n - k, end);
}

static bool is_own(const kws_bridge *b, const char *topic)
{
	const size_t n = strlen(b->site.base);

	return !strncmp(topic, b->site.base, n) && topic[n] == '/';
}

static void on_command(kws_bridge *b, const char *topic, const char *payload, size_t n)
{
	setting s = { b, topic, payload, false };
	json_t *status;

	if (ends_in(topic, "/request")) {
		forward(b, topic, payload, n);
		return;
	}
	if (set_listening(b, topic, payload))
		return;
	status = json_incref(b->status); /* an answer may bring another one meanwhile */
	kws_site_each_word(status, set_threshold, &s);
	json_decref(status);
	if (!s.found)
		kws_bridge_fail(b, topic, "there is no such microphone, model or word");
}

void kws_bridge_message(kws_bridge *b, const char *topic, const char *payload, size_t n,
			bool retained)
{
	const bool own = is_own(b, topic);
	const bool command = own && (ends_in(topic, "/set") || ends_in(topic, "/request"));

	if (!strcmp(topic, b->site.birth)) {
		if (!retained && !strcmp(payload, "online"))
			on_birth(b);
	} else if (command && retained) {
		/* it would come again and again */
		kws_log(KWS_LOG_WARNING, "%s: a command that the broker keeps; it is ignored",
			topic);
	} else if (command) {
		on_command(b, topic, payload, n);
	} else if (is_of_hermes(topic)) {
		if (!retained)
			on_hermes(b, topic, payload, n);
	} else if (retained && (own || !strcmp(topic, b->site.config))) {
		kws_bridge_clean(b, topic, payload, n);
	}
	kws_bridge_pump(b);
}
