/* The document for Home Assistant: what stands in it, and that what vanishes is marked as removed. That
 * Home Assistant takes it is tried in tests/system/mqtt_ha.sh. */
#include "tests/mqtt.h"

#include "gateway/mqtt/discovery.h"

static kws_conf_mqtt conf = { .site = "kitchen", .topic = "kwsd", .discovery = "ha", .qos = 1 };

static json_t *document_for(json_t *status)
{
	kws_site s;
	json_t *d;

	kws_site_init(&s, &conf);
	d = kws_discovery(&s, status);
	assert_non_null(d);
	json_decref(status);
	return d;
}

static const json_t *component(const json_t *document, const char *key)
{
	const json_t *c = json_object_get(json_object_get(document, "cmps"), key);

	if (!c)
		fail_msg("no component %s", key);
	return c;
}

static void assert_text(const json_t *o, const char *key, const char *want)
{
	const char *got = json_string_value(json_object_get(o, key));

	if (!got || strcmp(got, want) != 0)
		fail_msg("%s is %s, not %s", key, got ? got : "missing", want);
}

static void test_plain(void **state)
{
	json_t *d = document_for(
		status_with(one_listener("", "", "{\"yes\": 0.8, \"hey mega\": null}"), NULL));
	char key[KWS_MQTT_NAME + 32], id[KWS_MQTT_NAME];
	const json_t *c;

	(void)state;
	assert_int_equal(json_object_size(json_object_get(d, "cmps")), 1 + 2 + 1 + 4 + 2 + 1);
	assert_text(d, "avty_t", "kwsd/kitchen/availability");
	assert_text(json_object_get(d, "o"), "name", "kwsd-mqtt");
	assert_text(json_object_get(d, "dev"), "name", "kwsd kitchen");
	assert_null(json_object_get(json_object_get(d, "dev"), "cu"));
	c = component(d, "default.event");
	assert_text(c, "p", "event");
	assert_text(c, "uniq_id", "kwsd_kitchen.default.event");
	assert_text(c, "def_ent_id", "event.kwsd_kitchen_word");
	assert_text(c, "stat_t", "kwsd/kitchen/listener/default/event");
	assert_text(json_object_get(d, "dev"), "mdl", "commands");
	assert_string_equal(json_string_value(json_array_get(json_object_get(c, "evt_typ"), 1)),
			    "hey mega");
	c = component(d, "default.yes.trigger");
	assert_text(c, "pl", "yes");
	assert_text(c, "stype", "yes");
	assert_null(json_object_get(c, "uniq_id"));
	c = component(d, "default.listening");
	assert_text(c, "cmd_t", "kwsd/kitchen/listener/default/listening/set");
	c = component(d, "default.yes.threshold");
	assert_text(c, "cmd_t", "kwsd/kitchen/model/default/yes/threshold/set");
	assert_text(component(d, "up_s"), "dev_cla", "duration");
	snprintf(key, sizeof key, "default.%s.threshold", kws_mqtt_id("hey mega", id));
	assert_text(component(d, key), "def_ent_id", "number.kwsd_kitchen_hey_mega_threshold");
	json_decref(d);
}

static void test_device(void **state)
{
	json_t *d;

	(void)state;
	strcpy(conf.name, "Ears");
	strcpy(conf.area, "Kitchen");
	strcpy(conf.url, "http://a.example/");
	d = document_for(status_with(NULL, NULL));
	memset(conf.name, 0, sizeof conf.name);
	memset(conf.area, 0, sizeof conf.area);
	memset(conf.url, 0, sizeof conf.url);
	assert_text(json_object_get(d, "dev"), "name", "Ears");
	assert_text(json_object_get(d, "dev"), "sa", "Kitchen");
	assert_text(json_object_get(d, "dev"), "cu", "http://a.example/");
	assert_int_equal(json_object_size(json_object_get(d, "cmps")), 1);
	json_decref(d);
}

/* Two microphones with one model, which has one threshold; names that look alike when they are put
 * together. */
static void test_several(void **state)
{
	json_t *d = document_for(status_with(one_listener("a", "m", "{\"b_c\": 0.5}"),
					     one_listener("a_b", "m", "{\"b_c\": 0.5}"),
					     one_listener("x", "other", "{\"c\": 0.5}"), NULL));

	(void)state;
	component(d, "a.b_c.trigger");
	component(d, "a_b.b_c.trigger");
	assert_text(component(d, "a_b.event"), "name", "a_b word");
	component(d, "m.b_c.threshold");
	component(d, "other.c.threshold");
	assert_int_equal(json_object_size(json_object_get(d, "cmps")), 3 * 7 + 2 + 1);
	json_decref(d);
}

static void test_removal(void **state)
{
	json_t *older = document_for(
		       status_with(one_listener("", "", "{\"yes\": 0.8, \"no\": 0.5}"), NULL)),
	       *now = document_for(status_with(one_listener("", "", "{\"no\": 0.5}"), NULL)),
	       *removal = kws_discovery_removal(older, now);

	(void)state;
	assert_non_null(removal);
	assert_int_equal(json_object_size(json_object_get(removal, "cmps")),
			 json_object_size(json_object_get(older, "cmps")));
	assert_int_equal(json_object_size(component(removal, "default.yes.trigger")), 1);
	assert_text(component(removal, "default.yes.trigger"), "p", "device_automation");
	assert_text(component(removal, "default.yes.threshold"), "p", "number");
	assert_true(json_object_size(component(removal, "default.no.threshold")) > 1);
	assert_null(json_object_get(json_object_get(now, "cmps"), "default.yes.threshold"));
	json_decref(removal);
	assert_null(kws_discovery_removal(now, older)); /* only more */
	assert_null(kws_discovery_removal(now, now));
	assert_null(kws_discovery_removal(NULL, now));
	json_t *odd = json_pack("{s:{s:i, s:{s:i}}}", "cmps", "a", 1, "b", "p", 2);
	assert_null(kws_discovery_removal(odd, now)); /* of somebody else */
	json_decref(odd);
	json_decref(older);
	json_decref(now);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_device),
		cmocka_unit_test(test_several),
		cmocka_unit_test(test_removal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
