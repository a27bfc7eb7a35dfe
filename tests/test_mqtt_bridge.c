/* The bridge between a daemon and a broker that are only played: what is published when, and what is kept
 * while one of them is away. */
#include "tests/mqtt_world.h"
#include "tests/schema.h"

static void test_states(void **state)
{
	(void)state;
	go_online();
	assert_last(availability, "offline");
	assert_contains("kwsd/kitchen/status", "\"daemon\":\"away\"");
	assert_null(last(config));
	assert_true(is_subscribed(set_listening)
		    || is_subscribed("kwsd/kitchen/listener/+/listening/set"));
	assert_true(is_subscribed("ha/status"));
	assert_true(is_subscribed("hermes/hotword/toggleOff"));
	daemon_comes(usual());
	assert_asked("{\"request\":\"subscribe\",\"events\":true}");
	assert_last(availability, "online");
	assert_last(listening, "ON");
	assert_last("kwsd/kitchen/model/default/yes/threshold", "0.8");
	assert_contains("kwsd/kitchen/listener/default/sensors", "\"level_dbfs\":-40.0");
	assert_contains("kwsd/kitchen/status", "\"configuration_hash\":\"cafe\"");
	assert_contains("kwsd/kitchen/status", "\"model_hash\":\"00112233");
	assert_contains(config, "default.yes.trigger");
	for (size_t i = 0; i < world.n; i++)
		assert_true(world.sent[i].retain);
	forget();
	daemon_goes();
	assert_last(availability, "offline");
	assert_contains("kwsd/kitchen/status", "\"daemon\":\"away\"");
	assert_int_equal(world.n, 2); /* the rest is as it was */
}

/* docs/mqtt-status.schema.json describes the status document, and describes no more. */
static void test_schema(void **state)
{
	json_t *l = one_listener("", "", "{\"yes\": 0.8}"), *status, *document;
	static const char *const counts[] = { "events", "near_misses", "gaps", "overflows",
					      "dropped_samples" };
	schema_error e;

	(void)state;
	for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
		json_object_set_new(l, counts[i], json_integer(1));
	json_object_set_new(l, "silent", json_false());
	json_object_set_new(l, "heard_s", json_real(1.5));
	json_object_set_new(l, "gap_s", json_real(0.5));
	status = status_with(l, NULL);
	json_object_set_new(status, "cpu_s", json_real(0.1));
	json_object_set_new(status, "rss_mb", json_real(20.0));
	json_object_set_new(status, "reloads", json_integer(0));
	json_object_set_new(status, "reload_error", json_null());
	go_online();
	document = json_loads(last("kwsd/kitchen/status")->text, 0, NULL);
	if (!schema_ref("mqtt-status.schema.json", document, &e))
		fail_msg("without kwsd: %s", e.text);
	json_decref(document);
	daemon_comes(status);
	document = json_loads(last("kwsd/kitchen/status")->text, 0, NULL);
	if (!schema_ref("mqtt-status.schema.json", document, &e))
		fail_msg("%s", e.text);
	json_t *schema = json_load_file("docs/mqtt-status.schema.json", 0, NULL);
	json_t *known = json_object_get(schema, "properties"), *member;
	const char *key;
	json_object_foreach(known, key, member) if (!json_object_get(document, key))
		fail_msg("%s is in the schema only", key);
	json_decref(schema);
	json_decref(document);
}

static void test_events(void **state)
{
	const message *m;

	(void)state;
	go_online();
	daemon_comes(usual());
	forget();
	say("yes", 1);
	m = last(event_topic);
	assert_non_null(m);
	assert_int_equal(m->qos, 2);
	assert_false(m->retain);
	assert_contains(event_topic, "{\"event_type\":\"yes\",\"delay_s\":0.0,\"late\":false,");
	assert_contains(event_topic, "\"score\":0.9");
	m = last("hermes/hotword/yes/detected");
	assert_non_null(m);
	assert_int_equal(m->qos, 1);
	assert_false(m->retain);
	assert_contains("hermes/hotword/yes/detected", "\"siteId\":\"kitchen\"");
	assert_contains("kwsd/kitchen/listener/default/sensors", "\"last_word\":\"yes\"");
	say("yes", 1); /* the same once more */
	assert_int_equal(count(event_topic), 1);
	acknowledge();
	say("yes", 1);
	assert_int_equal(count(event_topic), 1);
	conf.hermes = KWS_NO;
	say("no", 2);
	assert_int_equal(count(event_topic), 2);
	assert_null(last("hermes/hotword/no/detected"));
}

/* In order, once each, when the broker is back; late ones start nothing. */
static void test_broker_away(void **state)
{
	char want[32];
	size_t n = 0;

	(void)state;
	daemon_comes(usual());
	for (int i = 0; i < 40; i++)
		say("yes", i);
	fake_clock_pass(20.0);
	go_online();
	for (size_t i = 0; i < world.n; i++)
		if (!strcmp(world.sent[i].topic, event_topic)) {
			snprintf(want, sizeof want, "\"id\":\"id-%zu\"", n++);
			assert_non_null(strstr(world.sent[i].text, want));
			assert_non_null(
				strstr(world.sent[i].text, "\"delay_s\":20.0,\"late\":false"));
		}
	assert_int_equal(n, 40);
	assert_int_equal(count("hermes/hotword/yes/detected"), 40);
	go_offline();
	forget();
	say("no", 100);
	fake_clock_pass(31.0);
	go_online();
	assert_null(last(event_topic)); /* others come back, too */
	pass(2.5);
	assert_contains(event_topic, "\"late\":true");
	assert_null(last("hermes/hotword/no/detected"));
	go_offline();
	forget();
	say("no", 101);
	pass(3700.0);
	go_online();
	pass(2.5);
	assert_null(last(event_topic)); /* too old */
}

/* A broker that has lost its memory gets again what it had not acknowledged. */
static void test_forgetful_broker(void **state)
{
	(void)state;
	go_online();
	daemon_comes(usual());
	say("yes", 1);
	acknowledge();
	say("yes", 2);
	say("no", 3);
	world.acknowledged = world.n; /* never */
	go_offline();
	kws_bridge_forgotten(bridge);
	forget();
	go_online();
	pass(2.5);
	assert_int_equal(count(event_topic), 2);
	assert_contains(event_topic, "id-3");
	assert_last(listening, "ON");
	forget();
	pass(60.0);
	assert_null(last(event_topic));
}

/* What the broker has not acknowledged is sent again by the next process, and nothing else. */
static void test_restart(void **state)
{
	(void)state;
	go_online();
	daemon_comes(usual());
	say("yes", 1);
	acknowledge();
	forget();
	say("yes", 2);
	say("no", 3);
	go_offline();
	say("no", 4);
	close_bridge();
	forget();
	open_bridge();
	go_online();
	assert_int_equal(count(event_topic), 3);
	assert_contains(event_topic, "id-4");
}

/* A broker that takes its time: only so many messages are on their way. */
static void test_slow_broker(void **state)
{
	size_t before;

	(void)state;
	conf.hermes = KWS_NO;
	go_online();
	daemon_comes(usual());
	forget();
	for (int i = 0; i < 100; i++)
		say("yes", i);
	before = count(event_topic);
	assert_in_range(before, 1, 20);
	assert_in_range(world.n, before, 100);
	while (world.acknowledged < world.n) {
		acknowledge_one();
		assert_in_range(world.n - world.acknowledged, 0, 100);
	}
	assert_int_equal(count(event_topic), 100);
}

/* Words come and go with the models. */
static void test_words_change(void **state)
{
	static const char no[] = "kwsd/kitchen/model/default/no/threshold";

	(void)state;
	go_online();
	daemon_comes(usual());
	forget();
	json_decref(world.status);
	world.status = status_with(one_listener("", "", "{\"yes\": 0.9, \"stop\": 0.7}"), NULL);
	pass(3.0);
	assert_int_equal(count(config), 2);
	size_t i = 0;
	while (strcmp(world.sent[i].topic, config) != 0)
		i++;
	assert_non_null(strstr(world.sent[i].text, "\"default.no.threshold\":{\"p\":\"number\"}"));
	assert_true(world.sent[i].retain);
	assert_null(strstr(last(config)->text, "default.no."));
	assert_contains(config, "default.stop.trigger");
	assert_last(no, "");
	assert_last("kwsd/kitchen/model/default/yes/threshold", "0.9");
	forget();
	pass(10.0);
	assert_int_equal(world.n, 0); /* nothing has changed */
	json_object_set_new(world.status, "up_s", json_real(99.0));
	pass(30.0);
	assert_int_equal(count("kwsd/kitchen/status"), 1);
}

/* What an earlier process, or an earlier model, has left on the broker. */
static void test_what_is_left_there(void **state)
{
	(void)state;
	go_online();
	assert_false(is_subscribed(config));
	daemon_comes(usual());
	assert_true(is_subscribed(config));
	forget();
	tell("kwsd/kitchen/model/default/yes/threshold", "0.8", true);
	tell("kwsd/kitchen/listener/default/listening", "ON", false);
	assert_int_equal(world.n, 0);
	tell("kwsd/kitchen/model/default/gone/threshold", "0.5", true);
	assert_last("kwsd/kitchen/model/default/gone/threshold", "");
	tell("kwsd/kitchen/listener/gone/listening", "ON", true);
	assert_last("kwsd/kitchen/listener/gone/listening", "");
	forget();
	tell(config, "{\"cmps\":{\"default.gone.threshold\":{\"p\":\"number\"}}}", true);
	assert_int_equal(count(config), 2);
	assert_non_null(
		strstr(world.sent[0].text, "\"default.gone.threshold\":{\"p\":\"number\"}"));
	assert_null(strstr(last(config)->text, "gone"));
	forget();
	tell(config, "not JSON", true);
	assert_int_equal(world.n, 0);
}

static void test_birth(void **state)
{
	(void)state;
	go_online();
	daemon_comes(usual());
	forget();
	tell("ha/status", "offline", false);
	tell("ha/status", "online", true); /* it was there when we came */
	pass(3.0);
	assert_int_equal(world.n, 0);
	tell("ha/status", "online", false);
	pass(3.0);
	assert_int_equal(count(config), 1);
	assert_int_equal(count(listening), 1);
	assert_last(availability, "online");
}

static void test_status_line(void **state)
{
	char text[200];

	(void)state;
	daemon_comes(usual());
	say("yes", 1);
	kws_bridge_status(bridge, text, sizeof text);
	assert_string_equal(text,
			    "The broker is away; kwsd is there; 0 events sent, 1 wait, 0 dropped");
	go_online();
	kws_bridge_status(bridge, text, sizeof text);
	assert_string_equal(
		text, "Connected to the broker; kwsd is there; 1 events sent, 0 wait, 0 dropped");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_states),	TEST(test_schema),	     TEST(test_events),
		TEST(test_broker_away), TEST(test_forgetful_broker), TEST(test_restart),
		TEST(test_slow_broker), TEST(test_words_change),     TEST(test_what_is_left_there),
		TEST(test_birth),	TEST(test_status_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
