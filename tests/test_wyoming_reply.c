/* What kwsd-wyoming sends: byte for byte what the protocol's own library makes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "gateway/wyoming/reply.h"

#include <string.h>

static void check_bytes(kws_out *o, const char *want)
{
	assert_int_equal(o->n, strlen(want));
	assert_memory_equal(o->bytes, want, o->n);
	kws_out_free(o);
}

static void answers_are_those_of_the_library(void **state)
{
	const kws_reply_program p = { "kwsd", "a", "u", "1", NULL, "en" };
	const kws_reply_word word = { "hey_mega", "Hey Mega", "1" };
	kws_out o = { .bytes = NULL };

	(void)state;
	kws_reply_detection(&o, "hey_mega", 1240, NULL);
	check_bytes(&o, "{\"type\": \"detection\", \"version\": \"1.9.0\", \"data_length\": 56}\n"
			"{\"name\": \"hey_mega\", \"timestamp\": 1240, \"speaker\": null}");
	kws_reply_not_detected(&o, NULL);
	check_bytes(&o, "{\"type\": \"not-detected\", \"version\": \"1.9.0\"}\n");
	kws_reply_info(&o, &p, &word, 1);
	check_bytes(&o,
		    "{\"type\": \"info\", \"version\": \"1.9.0\", \"data_length\": 379}\n"
		    "{\"asr\": [], \"tts\": [], \"handle\": [], \"intent\": [], \"wake\": "
		    "[{\"name\": \"kwsd\", \"attribution\": {\"name\": \"a\", \"url\": \"u\"}, "
		    "\"installed\": true, \"description\": null, \"version\": \"1\", "
		    "\"models\": [{\"name\": \"hey_mega\", \"attribution\": {\"name\": \"a\", "
		    "\"url\": \"u\"}, \"installed\": true, \"description\": \"Hey Mega\", "
		    "\"version\": \"1\", \"languages\": [\"en\"], \"phrase\": \"Hey Mega\"}]}], "
		    "\"mic\": [], \"snd\": []}");
	kws_reply_pong(&o, NULL);
	check_bytes(&o, "{\"type\": \"pong\", \"version\": \"1.9.0\", \"data_length\": 14}\n"
			"{\"text\": null}");
	/* lengths are bytes */
	kws_reply_error(&o, "\xc3\xa4\"", "c");
	check_bytes(&o, "{\"type\": \"error\", \"version\": \"1.9.0\", \"data_length\": 29}\n"
			"{\"text\": \"\xc3\xa4\\\"\", \"code\": \"c\"}");
}

static void what_is_sent_makes_room(void **state)
{
	kws_out o = { .bytes = NULL };

	(void)state;
	for (int i = 0; i < 1000; i++)
		kws_out_put(&o, "0123456789", 10);
	kws_out_sent(&o, 9995);
	assert_int_equal(o.n, 5);
	assert_memory_equal(o.bytes + o.first, "56789", 5);
	kws_out_put(&o, "x", 1);
	assert_memory_equal(o.bytes + o.first, "56789x", 6);
	kws_out_sent(&o, 6);
	assert_int_equal(o.room, 0); /* what was large is gone */
	kws_out_free(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_those_of_the_library),
		cmocka_unit_test(what_is_sent_makes_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
