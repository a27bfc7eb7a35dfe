/* Words, microphones and hosts as parts of topics and as ids: different ones stay different. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "gateway/mqtt/board.h"
#include "gateway/mqtt/broker_parts.h"
#include "gateway/mqtt/names.h"
#include "gateway/mqtt/site.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void test_levels(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "yes", "yes" },
		{ "hey mega", "hey mega" },
		{ "schlie\xc3\x9f"
		  "en",
		  "schlie\xc3\x9f"
		  "en" },
		{ "", "default" },
		{ "default", "%64efault" },
		{ "defaults", "defaults" },
		{ "a/b", "a%2Fb" },
		{ "+", "%2B" },
		{ "#", "%23" },
		{ "50%", "50%25" },
		{ "$SYS", "%24SYS" },
		{ "a\nb\x7f", "a%0Ab%7F" },
		{ "\xc2\x85", "%C2\x85" },
	};
	char out[KWS_MQTT_NAME], longest[400];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_string_equal(kws_mqtt_level(cases[i].text, out), cases[i].want);
	memset(longest, '/', sizeof longest - 1);
	longest[sizeof longest - 1] = 0;
	assert_true(strlen(kws_mqtt_level(longest, out)) < KWS_MQTT_NAME);
}

static void test_ids(void **state)
{
	static const char *const texts[] = { "yes",	 "Yes",	     "hey_mega",
					     "hey mega", "hey-mega", "hey\xc3\xa9mega",
					     "",	 "default",  "a.b",
					     "a b",	 "a/b" };
	char out[sizeof texts / sizeof texts[0]][KWS_MQTT_NAME];

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		kws_mqtt_id(texts[i], out[i]);
		assert_int_equal(strspn(out[i], "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWX"
						"YZ0123456789_-"),
				 strlen(out[i]));
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(out[i], out[k]);
	}
	assert_string_equal(out[2], "hey_mega");
	assert_string_equal(out[6], "default");
}

static void test_topics(void **state)
{
	char longest[KWS_MQTT_TOPIC + 1];

	(void)state;
	assert_true(kws_mqtt_is_topic("kwsd"));
	assert_true(kws_mqtt_is_topic("house/ground floor/k\xc3\xbc"
				      "che"));
	static const char *const wrong[] = { "", "/a", "a/", "a/+", "#", "$SYS/a", "a\nb", "\xff" };
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		assert_false(kws_mqtt_is_topic(wrong[i]));
	memset(longest, 'a', sizeof longest - 1);
	longest[sizeof longest - 1] = 0;
	assert_false(kws_mqtt_is_topic(longest));
	assert_true(kws_mqtt_is_topic(longest + 1));
}

static void test_site(void **state)
{
	kws_conf_mqtt c = { .site = "kitchen", .topic = "kwsd", .discovery = "homeassistant" };
	char topic[KWS_MQTT_TOPIC], id[KWS_MQTT_NAME];
	kws_site s;

	(void)state;
	kws_site_init(&s, &c);
	assert_string_equal(s.base, "kwsd/kitchen");
	assert_string_equal(s.config, "homeassistant/device/kwsd_kitchen/config");
	assert_string_equal(s.birth, "homeassistant/status");
	assert_string_equal(kws_site_listener_topic(&s, "", "event", topic),
			    "kwsd/kitchen/listener/default/event");
	assert_string_equal(kws_site_word_topic(&s, "a", "x/y", "threshold", topic),
			    "kwsd/kitchen/model/a/x%2Fy/threshold");
	assert_string_equal(kws_site_hermes_id(&s, "", id), "kitchen");
	assert_string_equal(kws_site_hermes_id(&s, "left", id), "kitchen_left");
	c.discovery[0] = c.site[0] = 0;
	kws_site_init(&s, &c);
	assert_string_equal(s.config, "");
	assert_string_equal(s.birth, "");
	assert_true(*s.name && !strchr(s.name, '.')); /* of the host */
}

/* The waits grow to their limit, and no two machines wait alike. */
static void test_delays(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		const double want = i < 6 ? (double)(1u << i) : 60.0;

		assert_true(kws_broker_delay(i, 60, 1.0) == want);
		assert_true(kws_broker_delay(i, 60, 0.0) == 0.5 * want);
	}
	assert_true(kws_broker_delay(0, 1, 0.5) == 0.75);
}

/* ---- the board ---- */

static struct {
	char log[512];
	int room;
} paper;

static bool take(void *ctx, const char *topic, const char *text, size_t n)
{
	(void)ctx;
	assert_int_equal(n, strlen(text));
	if (paper.room-- <= 0)
		return false;
	snprintf(paper.log + strlen(paper.log), sizeof paper.log - strlen(paper.log), "%s=%s;",
		 topic, text);
	return true;
}

static const char *published(kws_board *b, int room)
{
	paper.room = room;
	paper.log[0] = 0;
	kws_board_publish(b, take, NULL);
	return paper.log;
}

static void test_board(void **state)
{
	kws_board *b = kws_board_create();

	(void)state;
	assert_true(kws_board_put(b, "a", "1"));
	assert_true(kws_board_put(b, "b", "2"));
	assert_string_equal(published(b, 1), "a=1;");
	assert_true(kws_board_put(b, "a", "1")); /* as before */
	assert_string_equal(published(b, 9), "b=2;");
	assert_string_equal(published(b, 9), "");
	kws_board_put(b, "a", "3");
	kws_board_put(b, "a", "4"); /* only the last one */
	assert_string_equal(published(b, 9), "a=4;");
	kws_board_renew(b);
	assert_string_equal(published(b, 9), "a=4;b=2;");
	kws_board_begin(b);
	kws_board_put(b, "b", "2");
	kws_board_put(b, "c", "5");
	kws_board_end(b);
	assert_false(kws_board_has(b, "a"));
	assert_true(kws_board_has(b, "b"));
	assert_string_equal(published(b, 0), "");
	assert_string_equal(published(b, 9), "a=;c=5;");
	kws_board_renew(b);
	assert_string_equal(published(b, 9), "b=2;c=5;");
	kws_board_destroy(b);
	kws_board_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_levels), cmocka_unit_test(test_ids),
		cmocka_unit_test(test_topics), cmocka_unit_test(test_site),
		cmocka_unit_test(test_delays), cmocka_unit_test(test_board),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
