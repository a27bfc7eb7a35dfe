/* Metrics: each number of the status under its name, with its labels; histograms summed up; texts quoted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "gateway/web/metrics.h"

#include <stdlib.h>
#include <string.h>

static const char status[] =
	"{\"version\":\"1.2\",\"up_s\":12.5,\"cpu_s\":1,\"rss_mb\":14.5,\"reloads\":2,\"reload_"
	"error\":"
	"\"no\",\"listeners\":[{\"name\":\"kit\\\"ch\\\\en\\n\",\"enabled\":true,\"heard_s\":10.25,"
	"\"gaps\":3,\"overflows\":1,\"level_dbfs\":null,\"hop_s\":{\"limits\":[0.001,0.01],"
	"\"counts\":"
	"[5,3,1],\"sum\":0.0425},\"spotters\":[{\"name\":\"commands\",\"model\":\"c12\","
	"\"model_hash\":\"ab\",\"words\":{\"yes\":0.5,\"no\":null},\"heard\":{\"yes\":{\"events\":"
	"2,"
	"\"near_misses\":1,\"scores\":[0,1,2],\"score_sum\":2.5},\"no\":{\"events\":0,"
	"\"near_misses\":0,\"scores\":[0,0,0],\"score_sum\":0}},\"score_limits\":[0.5,0.95]}]},"
	"{\"name\":\"\",\"enabled\":false,\"heard_s\":0,\"level_dbfs\":-50.5,\"spotters\":[]}],"
	"\"sinks\":[{\"kind\":\"file\",\"name\":\"all\",\"taken\":7,\"dropped\":4,\"failed\":0}],"
	"\"control\":{\"clients\":1,\"dropped\":0,\"turned_away\":0}}";

static char *text_of(const char *json, size_t *n)
{
	const kws_metrics_own own = {
		.pages = 3, .requests = 40, .refused = 5, .slow = 1, .resident_bytes = 1e7
	};
	json_t *o = json ? json_loads(json, 0, NULL) : NULL;

	assert_true(!json == !o);
	char *text = kws_metrics_text(o, &own, n);
	assert_non_null(text);
	json_decref(o);
	return text;
}

static bool has_line(const char *text, const char *line)
{
	char want[512];

	snprintf(want, sizeof want, "\n%s\n", line);
	return strstr(text, want) != NULL;
}

#define KITCHEN "listener=\"kit\\\"ch\\\\en\\n\""
#define YES	KITCHEN ",spotter=\"commands\",word=\"yes\""

static void test_lines(void **state)
{
	static const char *const want[] = {
		"kws_up 1",
		"kws_info{version=\"1.2\"} 1",
		"kws_uptime_seconds 12.5",
		"kws_resident_memory_bytes 14500000",
		"kws_reloads_total 2",
		"kws_reload_failed 1",
		"kws_listening{" KITCHEN "} 1",
		"kws_listening{listener=\"\"} 0",
		"kws_audio_seconds_total{" KITCHEN "} 10.25",
		"kws_gaps_total{" KITCHEN "} 3",
		"kws_overflows_total{" KITCHEN "} 1",
		"kws_level_dbfs{listener=\"\"} -50.5",
		"kws_detections_total{" YES "} 2",
		"kws_near_misses_total{" YES "} 1",
		"kws_threshold{" YES "} 0.5",
		"kws_model_info{" KITCHEN ",spotter=\"commands\",model=\"c12\",hash=\"ab\"} 1",
		"kws_score_bucket{" YES ",le=\"0.5\"} 0",
		"kws_score_bucket{" YES ",le=\"0.95\"} 1",
		"kws_score_bucket{" YES ",le=\"+Inf\"} 3",
		"kws_score_sum{" YES "} 2.5",
		"kws_score_count{" YES "} 3",
		"kws_hop_duration_seconds_bucket{" KITCHEN ",le=\"0.001\"} 5",
		"kws_hop_duration_seconds_bucket{" KITCHEN ",le=\"0.01\"} 8",
		"kws_hop_duration_seconds_bucket{" KITCHEN ",le=\"+Inf\"} 9",
		"kws_hop_duration_seconds_sum{" KITCHEN "} 0.0425",
		"kws_sink_taken_events_total{sink=\"file\",name=\"all\"} 7",
		"kws_sink_dropped_events_total{sink=\"file\",name=\"all\"} 4",
		"kws_control_clients 1",
		"kws_web_pages 3",
		"kws_web_requests_total 40",
		"kws_web_refused_requests_total 5",
		"kws_web_resident_memory_bytes 10000000",
	};
	size_t n;
	char *text = text_of(status, &n);

	(void)state;
	assert_int_equal(strlen(text), n);
	for (size_t i = 0; i < sizeof want / sizeof want[0]; i++)
		if (!has_line(text, want[i]))
			fail_msg("no line %s in\n%s", want[i], text);
	assert_null(strstr(text, "kws_level_dbfs{" KITCHEN)); /* null */
	assert_null(strstr(text, "kws_threshold{" KITCHEN ",spotter=\"commands\",word=\"no\""));
	assert_null(strstr(text, "kws_clips_written_total")); /* there is no such member */
	free(text);
}

/* Each name has one HELP and one TYPE, before its lines, and its lines stand together. */
static void test_families(void **state)
{
	size_t n;
	char *text = text_of(status, &n), *rest = text;
	char family[64] = "", seen[8192] = "";

	(void)state;
	for (char *line = strtok_r(rest, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		char name[64], want[80];

		if (sscanf(line, "# HELP %63s", name) == 1) {
			snprintf(want, sizeof want, " %s ", name);
			assert_null(strstr(seen, want));
			strcat(seen, want);
			snprintf(family, sizeof family, "%s", name);
		} else if (sscanf(line, "# TYPE %63s", name) == 1) {
			assert_string_equal(name, family);
		} else if (strncmp(line, family, strlen(family)) != 0) {
			fail_msg("%s below %s", line, family);
		}
	}
	free(text);
}

static void test_without_kwsd(void **state)
{
	size_t n;
	char *text = text_of(NULL, &n);

	(void)state;
	assert_true(has_line(text, "kws_up 0"));
	assert_true(has_line(text, "kws_web_pages 3"));
	assert_null(strstr(text, "kws_info"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_families),
		cmocka_unit_test(test_without_kwsd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
