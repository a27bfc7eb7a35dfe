/* Any bytes as kwsd.conf: no crash; and what was accepted without complaint is printed in a form
 * that reads back the same. */
#include "conf/conf.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static void ignore(void *ctx, const char *text)
{
	*(size_t *)ctx += strlen(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	kws_conf a, b;
	size_t told = 0, n;
	char *text = NULL;

	kws_conf_begin(&a);
	int errors = kws_conf_parse(&a, "fuzz", (const char *)data, len, ignore, &told);
	demand((errors > 0) == (told > 0)); /* no error that nobody is told of */
	kws_conf_end(&a);
	errors += kws_conf_check(&a, "fuzz", ignore, &told);
	fuzz_accepted = errors == 0;

	FILE *f = open_memstream(&text, &n);
	if (!f)
		return 0;
	kws_conf_print(&a, f);
	fclose(f);
	kws_conf_begin(&b);
	told = 0;
	demand(kws_conf_parse(&b, "printed", text, n, ignore, &told) == 0);
	kws_conf_end(&b);
	demand(memcmp(&a, &b, sizeof a) == 0);
	free(text);
	return 0;
}
