/* fuzz_set - any text behind -o, or set while kwsd runs: refused with a reason and nothing changed, or a setting that is printed
 * in a form which reads back the same. Several settings stand in one input, a line each. */
#include "conf/table.h"
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

/* What was changed on a running kwsd comes back from what is kept of it. */
static void kept_comes_back(const kws_conf *from, const kws_conf *to)
{
	static kws_conf other;
	char *text = NULL;
	size_t n;
	int told = 0;
	FILE *f = open_memstream(&text, &n);
	demand(f != NULL);
	kws_conf_print_kept(from, to, f);
	demand(fclose(f) == 0);
	other = *from;
	demand(kws_conf_parse_live(&other, "kept", text, n, count, &told) == 0 && told == 0);
	demand(memcmp(to, &other, sizeof other) == 0);
	free(text);
}

/* One line, on a configuration that is being read or in force. Returns whether it was refused. */
static int try(kws_conf *c, bool live, const char *text, int *told)
{
	static kws_conf before;
	before = *c;
	const int errors =
		live ? kws_conf_set_live(c, text, count, told) : kws_conf_set(c, text, count, told);
	demand(errors == 0 || memcmp(&before, c, sizeof before) == 0);
	return errors;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static kws_conf conf, from, live;
	int wrong = 0, told = 0, told_live = 0;
	kws_conf_begin(&conf);
	kws_conf_defaults(&from);
	live = from;
	for (size_t at = 0; at < size;) {
		char text[1024];
		const uint8_t *end = memchr(data + at, '\n', size - at);
		const size_t n = (end ? (size_t)(end - data) : size) - at;
		snprintf(text, sizeof text, "%.*s", (int)(n < 1023 ? n : 1023),
			 (const char *)data + at);
		wrong += try(&conf, false, text, &told);
		try(&live, true, text, &told_live);
		at += n + 1;
	}
	demand(wrong == told);
	kws_conf_end(&conf);
	kws_conf_check(&conf, "options", count, &told);
	reads_back(&conf);
	reads_back(&live);
	kept_comes_back(&from, &live);
	fuzz_accepted = wrong == 0 && size > 0;
	return 0;
}
