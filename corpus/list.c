#include "corpus/list.h"

#include <stdlib.h>
#include <string.h>

enum kws_status kws_list_copy(char **text, const char *from, size_t len, const char *name,
			      size_t most, kws_error *err)
{
	*text = NULL;
	if (len > most)
		return kws_fail(err, KWS_ERR_FORMAT, "%s: longer than %zu bytes", name, most);
	char *copy = malloc(len + 1);
	if (!copy)
		return kws_fail(err, KWS_ERR_NOMEM, "%s: out of memory", name);
	if (len)
		memcpy(copy, from, len);
	*text = copy;
	return KWS_OK;
}

size_t kws_list_count(const char *text, size_t len)
{
	size_t n = 1;
	for (size_t i = 0; i < len; i++)
		n += text[i] == '\n';
	return n;
}

enum kws_status kws_list_lines(char *text, size_t len, const char *name, size_t longest,
			       kws_list_fn *take, void *ctx, kws_error *err)
{
	char *at = text, *const end = text + len;
	enum kws_status status = KWS_OK;
	*end = '\0';
	if (len >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0)
		at += 3;
	for (size_t number = 1; status == KWS_OK && at < end; number++) {
		char *line = at, *stop = memchr(at, '\n', (size_t)(end - at));
		if (!stop)
			stop = end;
		at = stop + 1;
		if (stop > line && stop[-1] == '\r')
			stop--;
		if ((size_t)(stop - line) > longest)
			return kws_fail(err, KWS_ERR_FORMAT, "%s:%zu: the line is too long", name,
					number);
		if (memchr(line, '\0', (size_t)(stop - line)))
			return kws_fail(err, KWS_ERR_FORMAT, "%s:%zu: there is a NUL byte", name,
					number);
		*stop = '\0';
		if (line[0] != '\0' && line[0] != '#')
			status = take(ctx, line, number, err);
	}
	return status;
}

char *kws_list_field(char *line)
{
	char *tab = strchr(line, '\t');
	if (!tab)
		return NULL;
	*tab = '\0';
	return tab + 1;
}
