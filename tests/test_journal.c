/* What the journal gets: the function of libsystemd that sends it is ours here. */
#include "tests/sinks.h"

#include <ctype.h>
#include <pthread.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char sent[64][KWS_EVENT_JSON + 64];
static int n_sent, refuse;

int sd_journal_sendv_with_location(const char *file, const char *line, const char *func,
				   const struct iovec *iov, int n)
{
	(void)file;
	(void)line;
	(void)func;
	pthread_mutex_lock(&lock);
	for (int i = 0; i < n && i < 64; i++)
		snprintf(sent[i], sizeof sent[0], "%.*s", (int)iov[i].iov_len,
			 (const char *)iov[i].iov_base);
	n_sent = n;
	pthread_mutex_unlock(&lock);
	return refuse;
}

static int taken(void)
{
	pthread_mutex_lock(&lock);
	int n = n_sent;
	pthread_mutex_unlock(&lock);
	return n;
}

/* The value of a field, which must be there once. */
static const char *value_of(const char *field)
{
	const char *value = NULL;
	const size_t n = strlen(field);
	for (int i = 0; i < n_sent; i++)
		if (!strncmp(sent[i], field, n) && sent[i][n] == '=') {
			assert_null(value);
			value = sent[i] + n + 1;
		}
	if (!value)
		fail_msg("no %s", field);
	return value;
}

static void test_fields(void **state)
{
	const kws_conf_journal c = { .queue = 4 };
	kws_sink *s;
	kws_report r = whole_event(16000);
	const char *name;
	char value[256], field[64];
	size_t n = 0;

	(void)state;
	OPENED(s, kws_sink_journal.create(&s, &c, NULL));
	kws_sink_push(s, &r);
	UNTIL(taken() > 0);
	kws_sink_stop(s, 1000, true);
	assert_int_equal(schema_check_lines(value_of("KWS_EVENT")), 1);
	assert_string_equal(value_of("SYSLOG_IDENTIFIER"), "kwsd");
	assert_non_null(strstr(value_of("MESSAGE"), "yes 0.91 at 1.00 s"));
	assert_string_equal(value_of("KWS_SCORE"), "0.912346");
	assert_string_equal(value_of("KWS_START"), "1.0");
	assert_string_equal(value_of("KWS_RATE_HZ"), "16000");
	assert_string_equal(value_of("KWS_SNR_DB"), "");
	/* as many as the line has, under their names */
	json_t *o = json_loads(value_of("KWS_EVENT"), 0, NULL);
	for (; kws_report_field(&r, n, &name, value, sizeof value); n++) {
		snprintf(field, sizeof field, "KWS_%s", name);
		for (char *f = field; *f; f++)
			*f = (char)toupper((unsigned char)*f);
		assert_string_equal(value_of(field), value);
		assert_non_null(json_object_get(o, name));
	}
	assert_int_equal(n, json_object_size(o));
	json_decref(o);
}

static void test_refused(void **state)
{
	const kws_conf_journal c = { .queue = 4 };
	kws_sink *s;
	kws_sink_stats st;
	kws_report r = event(1);

	(void)state;
	refuse = -2;
	OPENED(s, kws_sink_journal.create(&s, &c, NULL));
	kws_sink_push(s, &r);
	UNTIL((kws_sink_stats_get(s, &st), st.failed == 1));
	kws_sink_stop(s, 1000, true);
	refuse = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
