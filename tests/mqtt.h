/* mqtt.h - what the tests of kwsd-mqtt share: a status of kwsd, and a broker and a daemon that are only
 * played. */
#ifndef KWS_TESTS_MQTT_H
#define KWS_TESTS_MQTT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One listener with one model. words: "{\"yes\": 0.8, \"no\": null}" */
__attribute__((unused)) static json_t *one_listener(const char *name, const char *model,
						    const char *words)
{
	json_t *o = json_pack("{s:s, s:b, s:s, s:s, s:s, s:f, s:[{s:s, s:s, s:s, s:o}]}", "name",
			      name, "enabled", true, "state", "running", "device", "mic", "reason",
			      "", "level_dbfs", -40.0, "spotters", "name", model, "model",
			      "commands", "model_hash",
			      "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
			      "words", json_loads(words, 0, NULL));

	assert_non_null(o);
	return o;
}

/* A status with these listeners, which are taken; NULL at the end. */
__attribute__((unused)) static json_t *status_with(json_t *listener, ...)
{
	json_t *list = json_array();
	va_list ap;

	va_start(ap, listener);
	for (; listener; listener = va_arg(ap, json_t *))
		json_array_append_new(list, listener);
	va_end(ap);
	return json_pack("{s:s, s:f, s:s, s:o}", "version", "0.2.0", "up_s", 12.5,
			 "configuration_hash", "cafe", "listeners", list);
}

#endif
