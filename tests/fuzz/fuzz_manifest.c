/* Any bytes as a list: refused with a place and a reason, or items that keep what manifest.h
 * promises. */
#include "corpus/manifest.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static void look_at(const kws_manifest *m, size_t i, size_t line_before)
{
	static char path[KWS_MANIFEST_MAX_LINE + 16];
	const kws_manifest_item *item = kws_manifest_get(m, i);
	const size_t len = strlen(item->path);
	demand(len > 0 && len <= KWS_MANIFEST_MAX_LINE && !strpbrk(item->path, "\t\n"));
	demand(item->word[0] != '\0' && !strpbrk(item->word, "\t\n"));
	demand(item->line > line_before);
	const size_t whole = len + (item->path[0] == '/' ? 0 : strlen("dir/"));
	demand(kws_manifest_path(m, i, path, whole) == KWS_ERR_ARG); /* no place for the NUL */
	demand(kws_manifest_path(m, i, path, whole + 1) == KWS_OK && strlen(path) == whole);
	demand(strcmp(path + whole - len, item->path) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	kws_manifest *m = NULL;
	kws_error err = { "" };
	const enum kws_status s =
		kws_manifest_parse(&m, (const char *)data, size, "dir/list.tsv", &err);
	demand((s == KWS_OK) == (m != NULL));
	fuzz_accepted = m != NULL;
	if (!m) {
		demand(s == KWS_ERR_FORMAT && strncmp(err.text, "dir/list.tsv:", 13) == 0);
		return 0;
	}
	size_t line = 0;
	for (size_t i = 0; i < kws_manifest_count(m); i++) {
		look_at(m, i, line);
		line = kws_manifest_get(m, i)->line;
	}
	kws_manifest_close(m);
	return 0;
}
