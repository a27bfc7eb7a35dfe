/* Commands of the broker and of Hermes to a daemon that is only played. */
#include "tests/mqtt_world.h"

static void test_commands(void **state)
{
	(void)state;
	go_online();
	daemon_comes(status_with(one_listener("", "", "{\"yes\": 0.8}"),
				 one_listener("attic", "j", "{\"a/b\": 0.5}"), NULL));
	forget();
	tell(set_listening, "OFF", false);
	assert_asked("{\"request\":\"listen\",\"on\":false,\"listener\":\"\",\"keep\":true}");
	tell("kwsd/kitchen/listener/attic/listening/set", "on", false);
	assert_asked("{\"request\":\"listen\",\"on\":true,\"listener\":\"attic\",\"keep\":true}");
	tell(set_yes, "0.625", false);
	assert_asked("{\"request\":\"set\",\"values\":{\"threshold.yes\":0.625},\"keep\":true}");
	tell("kwsd/kitchen/model/j/a%2Fb/threshold/set", "off", false);
	assert_asked(
		"{\"request\":\"set\",\"values\":{\"threshold j.a/b\":\"off\"},\"keep\":true}");
	tell("kwsd/kitchen/model/j/a%2Fb/threshold/set", "model", false);
	assert_asked(
		"{\"request\":\"set\",\"values\":{\"threshold j.a/b\":\"model\"},\"keep\":true}");
	forget();
	tell(set_yes, "0.5", true); /* kept by the broker: not again and again */
	tell(set_listening, "maybe", false);
	assert_contains("kwsd/kitchen/error", "want ON or OFF");
	tell(set_yes, "1.5", false);
	assert_contains("kwsd/kitchen/error", "0..1");
	tell(set_yes, "0,5", false);
	tell(set_yes, "", false);
	tell("kwsd/kitchen/model/default/maybe/threshold/set", "0.5", false);
	assert_contains("kwsd/kitchen/error", "no such");
	assert_int_equal(world.n_asked, 0);
	snprintf(world.error, sizeof world.error, "it will not");
	tell(set_yes, "0.5", false);
	assert_contains("kwsd/kitchen/error", "it will not");
	assert_last("kwsd/kitchen/model/default/yes/threshold", "0.8"); /* once more, as it is */
}

static void test_requests(void **state)
{
	static const char topic[] = "kwsd/kitchen/request", answer[] = "kwsd/kitchen/answer";

	(void)state;
	go_online();
	daemon_comes(usual());
	forget();
	tell(topic, "{\"request\": \"set\", \"values\": {\"threshold.yes\": 0.5}, \"id\": \"x\"}",
	     false);
	assert_asked("{\"request\":\"set\",\"values\":{\"threshold.yes\":0.5},\"id\":\"x\"}");
	assert_last(answer, "{\"ok\":true,\"request\":\"set\",\"id\":\"x\"}");
	forget();
	tell(topic, "{\"request\": \"reload\"}", false);
	assert_last(answer, "{\"ok\":true,\"request\":\"reload\"}");
	forget();
	tell(topic, "{\"request\": \"subscribe\", \"mel\": true}", false);
	tell(topic, "reload", false);
	tell(topic, "[]", false);
	assert_int_equal(count("kwsd/kitchen/error"), 3);
	assert_int_equal(world.n_asked, 0);
	daemon_goes();
	tell(topic, "{\"request\": \"version\", \"id\": 5}", false);
	assert_contains(answer, "\"error\":\"kwsd is away\",\"id\":5");
}

static const char off_tts[] = "{\"siteId\":\"kitchen\",\"reason\":\"ttsSay\"}",
		  off_play[] = "{\"siteId\":\"kitchen\",\"reason\":\"playAudio\"}",
		  off_any[] = "{\"siteId\":\"kitchen\"}";
static const char asks_off[] = "{\"request\":\"listen\",\"on\":false,\"listener\":\"\"}",
		  asks_on[] = "{\"request\":\"listen\",\"on\":true,\"listener\":\"\"}";
static const char toggle_on[] = "hermes/hotword/toggleOn",
		  toggle_off[] = "hermes/hotword/toggleOff";

static void test_hermes_reasons(void **state)
{
	(void)state;
	go_online();
	daemon_comes(usual());
	forget();
	tell(toggle_off, "{\"siteId\":\"attic\",\"reason\":\"ttsSay\"}", false);
	tell(toggle_off, "{\"reason\":\"ttsSay\"}", false); /* of the site "default" */
	assert_int_equal(world.n_asked, 0);
	tell(toggle_off, off_tts, false);
	assert_asked(asks_off);
	forget();
	tell(toggle_off, off_play, false);
	tell(toggle_on, off_tts, false);
	assert_int_equal(world.n_asked, 0); /* still one reason */
	tell(toggle_on, off_play, false);
	assert_asked(asks_on);
	forget();
	tell(toggle_on, off_play, false);
	assert_int_equal(world.n_asked, 0);
	tell(toggle_off, off_tts, false);
	tell(toggle_off, off_play, false);
	forget();
	tell(toggle_on, off_any, false); /* any: ends all reasons */
	assert_asked(asks_on);
	tell(toggle_off, "no JSON", false);
	assert_contains("hermes/error/hotword", "want a JSON object");
	tell("rhasspy/hotword/getHotwords", "{\"siteId\":\"kitchen\",\"id\":\"7\"}", false);
	assert_contains("rhasspy/hotword/hotwords", "\"modelId\":\"yes\",\"modelWords\":\"yes\"");
	assert_contains("rhasspy/hotword/hotwords", "\"siteId\":\"kitchen\",\"id\":\"7\"");
}

/* What the user turns off stays off; what Hermes turns off comes back, whoever dies. */
static void test_hermes_and_others(void **state)
{
	(void)state;
	go_online();
	daemon_comes(usual());
	tell(set_listening, "OFF", false);
	forget();
	tell(toggle_off, off_tts, false);
	tell(toggle_on, off_tts, false);
	assert_int_equal(world.n_asked, 0);
	tell(set_listening, "ON", false);
	forget();
	tell(toggle_off, off_tts, false);
	forget();
	tell(set_listening, "OFF", false); /* in the middle of it */
	forget();
	tell(toggle_on, off_tts, false);
	assert_int_equal(world.n_asked, 0);
	tell(set_listening, "ON", false);
	forget();
	tell(toggle_off, off_tts, false);
	forget();
	daemon_goes(); /* a new one listens */
	daemon_comes(usual());
	assert_asked(asks_off);
	forget();
	close_bridge(); /* killed */
	world.online = false;
	open_bridge();
	forget();
	daemon_comes(json_incref(world.status));
	assert_asked(asks_on);
	forget();
	tell(toggle_off, off_tts, false);
	forget();
	kws_bridge_stop(bridge);
	assert_asked(asks_on);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_commands),
		TEST(test_requests),
		TEST(test_hermes_reasons),
		TEST(test_hermes_and_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
