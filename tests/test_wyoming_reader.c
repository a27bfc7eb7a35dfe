/* What a Wyoming client sends, cut into events: however the bytes are cut, and whatever they are. */
#include "gateway/wyoming/reader.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 256 * 1024 };

/* What was read: events and payloads as text. */
typedef struct {
	char text[4096];
	size_t n, n_payload;
	kws_error err;
	bool bad;
} record;

__attribute__((format(printf, 2, 3))) static void note(record *r, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	r->n += (size_t)vsnprintf(r->text + r->n, sizeof r->text - r->n, format, args);
	va_end(args);
	assert_true(r->n < sizeof r->text);
}

static void note_event(record *r, const kws_reader *reader)
{
	char *data = json_dumps(reader->data, JSON_COMPACT | JSON_SORT_KEYS);

	note(r, "%.32s %.200s;", reader->type, data);
	free(data);
}

/* Read bytes (n,) in pieces of at most `piece'. */
static void read_all(record *r, const char *bytes, size_t n, size_t piece)
{
	kws_reader reader = { .text = NULL };
	const char *part;
	size_t used, n_part;

	memset(r, 0, sizeof *r);
	for (size_t at = 0, end = 0; end < n && !r->bad;) {
		end = n - end < piece ? n : end + piece;
		for (bool more = true; more && !r->bad;) {
			switch (kws_reader_next(&reader, bytes + at, end - at, &used, &part,
						&n_part, &r->err)) {
			case KWS_READ_MORE: more = false; break;
			case KWS_READ_EVENT: note_event(r, &reader); break;
			case KWS_READ_PAYLOAD:
				assert_true(part >= bytes + at && part + n_part <= bytes + end);
				r->n_payload += n_part;
				break;
			case KWS_READ_BAD: r->bad = true; break;
			}
			at += used;
			assert_true(at <= end);
		}
		assert_true(r->bad || at == end);
	}
	if (r->bad)
		assert_int_equal(kws_reader_next(&reader, "{}\n", 3, &used, &part, &n_part, NULL),
				 KWS_READ_BAD);
	kws_reader_free(&reader);
}

/* What the protocol's own library sends. */
static const char golden[] =
	"{\"type\": \"describe\", \"version\": \"1.9.0\"}\n"
	"{\"type\": \"detect\", \"version\": \"1.9.0\", \"data_length\": 23}\n"
	"{\"names\": [\"hey_mega\"]}"
	"{\"type\": \"audio-start\", \"version\": \"1.9.0\", \"data_length\": 61}\n"
	"{\"rate\": 16000, \"width\": 2, \"channels\": 1, \"timestamp\": null}"
	"{\"type\": \"audio-chunk\", \"version\": \"1.9.0\", \"data_length\": 59, "
	"\"payload_length\": 4}\n"
	"{\"rate\": 16000, \"width\": 2, \"channels\": 1, \"timestamp\": 20}\0\0\1\0"
	"{\"type\": \"audio-stop\", \"version\": \"1.9.0\", \"data_length\": 19}\n"
	"{\"timestamp\": null}";

static void reads_golden_events_however_cut(void **state)
{
	record r;

	(void)state;
	for (size_t piece = 1; piece <= sizeof golden; piece++) {
		read_all(&r, golden, sizeof golden - 1, piece);
		assert_false(r.bad);
		assert_string_equal(
			r.text, "describe {};detect {\"names\":[\"hey_mega\"]};"
				"audio-start "
				"{\"channels\":1,\"rate\":16000,\"timestamp\":null,\"width\":2};"
				"audio-chunk "
				"{\"channels\":1,\"rate\":16000,\"timestamp\":20,\"width\":2};"
				"audio-stop {\"timestamp\":null};");
		assert_int_equal(r.n_payload, 4);
	}
}

static void accepts(const char *bytes, const char *want)
{
	record r;

	for (size_t piece = 1; piece <= strlen(bytes); piece++) {
		read_all(&r, bytes, strlen(bytes), piece);
		assert_false(r.bad);
		assert_string_equal(r.text, want);
	}
}

static void takes_other_forms(void **state)
{
	(void)state;
	accepts("{\"type\":\"a\",\"data\":{\"x\":1}}\n", "a {\"x\":1};");
	/* the data override what the header has, key by key */
	accepts("{\"type\":\"a\",\"data\":{\"x\":1,\"y\":2},\"data_length\":9}\n{\"x\": 3 }",
		"a {\"x\":3,\"y\":2};");
	accepts("{\"type\":\"a\",\"data\":null,\"data_length\":null,\"payload_length\":0}\n",
		"a {};");
	accepts("{\"type\":\"a\",\"data\":null,\"data_length\":9}\n{\"x\": 3 }", "a {\"x\":3};");
	accepts("{\"type\":\"a\",\"data_length\":4}\nnull", "a {};");
	accepts("\n \r\n{\"type\":\"a\", \"unknown\": [1]}\r\n\n", "a {};");
	accepts("{\"type\":\"\xc3\xa4\"}\n", "\xc3\xa4 {};");
}

static void refuses(const char *bytes, const char *why)
{
	record r;

	for (size_t piece = 1; piece <= strlen(bytes); piece++) {
		read_all(&r, bytes, strlen(bytes), piece);
		assert_true(r.bad);
		assert_string_equal(r.err.text, why);
	}
}

static void refuses_what_is_no_event(void **state)
{
	(void)state;
	refuses("hello\n", "the header is no JSON, at byte 5");
	refuses("[1]\n", "the header is no JSON object");
	refuses("{\"data\":{}}\n", "the header has no type");
	refuses("{\"type\":7}\n", "the header has no type");
	refuses("{\"type\":\"a\",\"data\":[]}\n", "the data in the header are no JSON object");
	refuses("{\"type\":\"a\",\"data_length\":-1}\n", "data_length: -1 is not in 0..65536");
	refuses("{\"type\":\"a\",\"data_length\":65537}\n",
		"data_length: 65537 is not in 0..65536");
	refuses("{\"type\":\"a\",\"payload_length\":-5}\n",
		"payload_length: -5 is not in 0..1048576");
	refuses("{\"type\":\"a\",\"payload_length\":9223372036854775807}\n",
		"payload_length: 9223372036854775807 is not in 0..1048576");
	refuses("{\"type\":\"a\",\"payload_length\":1e3}\n", "payload_length is no whole number");
	refuses("{\"type\":\"a\",\"payload_length\":\"1\"}\n", "payload_length is no whole number");
	refuses("{\"type\":\"a\",\"data_length\":3}\n[1]", "the data is no JSON object");
	refuses("{\"type\":\"a\",\"data_length\":3}\n{\"x", "the data is no JSON, at byte 3");
}

/* A header of n bytes with its line feed. */
static char *header_of(size_t n)
{
	static char bytes[ROOM];
	const int k = snprintf(bytes, sizeof bytes, "{\"type\":\"a\",\"pad\":\"");

	memset(bytes + k, 'x', n);
	snprintf(bytes + n - 3, sizeof bytes - n, "\"}\n");
	return bytes;
}

static void header_and_data_have_a_limit(void **state)
{
	static char bytes[ROOM];
	record r;
	int k;

	(void)state;
	read_all(&r, header_of(KWS_READER_HEADER), KWS_READER_HEADER, 1000);
	assert_false(r.bad);
	assert_string_equal(r.text, "a {};");
	read_all(&r, header_of(KWS_READER_HEADER + 1), KWS_READER_HEADER + 1, 1000);
	assert_true(r.bad);
	assert_string_equal(r.err.text, "the header is longer than 65536 bytes");
	read_all(&r, header_of(70000), 70000, ROOM);
	assert_true(r.bad);

	k = snprintf(bytes, sizeof bytes, "{\"type\":\"a\",\"data_length\":%d}\n{\"x\":1",
		     KWS_READER_DATA);
	memset(bytes + k, ' ', KWS_READER_DATA);
	bytes[k - 6 + KWS_READER_DATA - 1] = '}';
	read_all(&r, bytes, (size_t)k - 6 + KWS_READER_DATA, 777);
	assert_false(r.bad);
	assert_string_equal(r.text, "a {\"x\":1};");
}

/* What was large leaves no memory behind. */
static void keeps_no_large_buffer(void **state)
{
	kws_reader r = { .text = NULL };
	const char *bytes = header_of(60000), *part;
	size_t used, n_part;

	(void)state;
	assert_int_equal(kws_reader_next(&r, bytes, 60000, &used, &part, &n_part, NULL),
			 KWS_READ_EVENT);
	assert_true(r.room <= 1024);
	kws_reader_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_golden_events_however_cut),
		cmocka_unit_test(takes_other_forms),
		cmocka_unit_test(refuses_what_is_no_event),
		cmocka_unit_test(header_and_data_have_a_limit),
		cmocka_unit_test(keeps_no_large_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
