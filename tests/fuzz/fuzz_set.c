/* fuzz_set - any text behind -o: refused with a reason and nothing changed, or a setting that is printed in a form which reads
 * back the same. Several settings stand in one input, a line each. */
#include "daemon/conf.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static void count(void *ctx, const char *text)
{
	demand(text[0] != '\0');
	++*(int *)ctx;
}

static void reads_back(const kws_conf *c)
{
	static kws_conf other;
	char *text = NULL;
	size_t n;
	int told = 0;
	FILE *f = open_memstream(&text, &n);
	demand(f != NULL);
	kws_conf_print(c, f);
	demand(fclose(f) == 0);
	kws_conf_begin(&other);
	demand(kws_conf_parse(&other, "printed", text, n, count, &told) == 0 && told == 0);
	kws_conf_end(&other);
	demand(memcmp(c, &other, sizeof other) == 0);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static kws_conf conf, before;
	int wrong = 0, told = 0;
	kws_conf_begin(&conf);
	for (size_t at = 0; at < size;) {
		char text[1024];
		const uint8_t *end = memchr(data + at, '\n', size - at);
		const size_t n = (end ? (size_t)(end - data) : size) - at;
		snprintf(text, sizeof text, "%.*s", (int)(n < 1023 ? n : 1023),
			 (const char *)data + at);
		before = conf;
		const int errors = kws_conf_set(&conf, text, count, &told);
		demand(errors == 0 || memcmp(&before, &conf, sizeof conf) == 0);
		wrong += errors;
		at += n + 1;
	}
	demand(wrong == told);
	kws_conf_end(&conf);
	kws_conf_check(&conf, "options", count, &told);
	reads_back(&conf);
	fuzz_accepted = wrong == 0 && size > 0;
	return 0;
}
