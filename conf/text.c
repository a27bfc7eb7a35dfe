#include "conf/text.h"

#include "conf/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool is_quote(char c)
{
	return c == '"' || c == '\'';
}

/* Whether a comment begins at text[i], outside of quotes. */
static bool is_comment(const char *text, size_t i)
{
	return (text[i] == '#' || text[i] == ';') && (i == 0 || is_blank(text[i - 1]));
}

/* Whether c opens or closes a quotation. *quote: the open quote; 0: none. */
static bool turns(char *quote, char c)
{
	if (*quote ? c != *quote : !is_quote(c))
		return false;
	*quote = *quote ? 0 : c;
	return true;
}

static const char *cut_quoted(const char *text, char *out, size_t n)
{
	const char *close = strchr(text + 1, *text), *rest;

	if (!close)
		return "the quote is not closed";
	for (rest = close + 1; is_blank(*rest); rest++)
		continue;
	if (*rest && *rest != '#' && *rest != ';')
		return "more stands behind the closing quote";
	snprintf(out, n, "%.*s", (int)(close - text - 1), text + 1);
	return NULL;
}

const char *kws_conf_cut(const char *text, bool command, char *out, size_t n)
{
	size_t end = 0;
	char quote = 0;

	while (is_blank(*text))
		text++;
	if (is_quote(*text) && !command)
		return cut_quoted(text, out, n);
	for (; text[end] && (quote || !is_comment(text, end)); end++) {
		if (!command)
			continue;
		if (text[end] == '\\' && text[end + 1])
			end++;
		else
			turns(&quote, text[end]);
	}
	while (end && is_blank(text[end - 1]))
		end--;
	snprintf(out, n, "%.*s", (int)end, text);
	return NULL;
}

bool kws_conf_quote(const char *value, char *out, size_t n)
{
	size_t len = strlen(value);
	bool needed = is_quote(*value) || (len && (is_blank(*value) || is_blank(value[len - 1])));
	const char *quote;

	for (size_t i = 0; i < len; i++)
		needed |= is_comment(value, i);
	quote = !needed ? "" : strchr(value, '"') ? "'" : "\"";
	if (out)
		snprintf(out, n, "%s%s%s", quote, value, quote);
	return !*quote || !strchr(value, *quote);
}

bool kws_conf_guard(const char *command, char *out, size_t n)
{
	size_t at = 0;
	char quote = 0;

	for (size_t i = 0; command[i]; i++) {
		bool escaped = command[i] == '\\' && command[i + 1],
		     comment = !quote && is_comment(command, i);

		if (at + 2 + (escaped || comment) > n)
			return false;
		if (escaped || comment)
			out[at++] = '\\';
		if (escaped)
			i++;
		else
			turns(&quote, command[i]);
		out[at++] = command[i];
	}
	out[at] = 0;
	return true;
}

int kws_conf_split(const char *command, char *buf, size_t n, char *argv[KWS_CONF_ARGS])
{
	size_t at = 0;
	int argc = 0;
	char quote = 0;
	bool in_word = false;

	for (const char *p = command; *p; p++) {
		if (!quote && is_blank(*p)) {
			if (in_word && at < n)
				buf[at++] = 0;
			in_word = false;
			continue;
		}
		if (!in_word) {
			if (argc == KWS_CONF_ARGS - 1)
				return -1;
			argv[argc++] = buf + at;
			in_word = true;
		}
		if (turns(&quote, *p))
			continue;
		if (*p == '\\' && !*++p)
			return -1;
		if (at + 1 >= n)
			return -1;
		buf[at++] = *p;
	}
	if (quote || at >= n)
		return -1;
	buf[at] = 0;
	argv[argc] = NULL;
	return argc;
}

ssize_t kws_conf_load(const char *path, char *text, size_t room)
{
	struct pollfd p = { .fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC),
			    .events = POLLIN };
	size_t n = 0;
	ssize_t k = 1;

	if (p.fd < 0)
		return -1;
	while (k && n < room) {
		int ready = poll(&p, 1, KWS_CONF_PATIENCE_MS);

		if (ready == 0)
			errno = ETIMEDOUT;
		k = ready > 0 ? read(p.fd, text + n, room - n) : -1;
		if (k < 0 && errno != EINTR && errno != EAGAIN)
			break;
		n += k > 0 ? (size_t)k : 0;
	}
	int code = errno;
	close(p.fd);
	errno = code;
	return k < 0 ? -1 : (ssize_t)n;
}
