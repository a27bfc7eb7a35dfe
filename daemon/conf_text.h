/* conf_text.h - the text of a configuration, and values as they stand in a line: quotes and comments.
 *
 *   value            up to a # or ; that begins a comment: at the start, or behind a blank
 *   "value" 'value'  what stands between the quotes, as it is; only a comment may follow
 *
 * A command (kws_conf_split) keeps its quotes, and # or ; in them begins no comment. */
#ifndef KWS_DAEMON_CONF_TEXT_H
#define KWS_DAEMON_CONF_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The value at the start of text into out (n,), which is as long as text at least. NULL, or what is
 * wrong. */
const char *kws_conf_cut(const char *text, bool command, char *out, size_t n);

/* value so that kws_conf_cut reads it back, in quotes where it needs them. False: it cannot be
 * written, since it needs quotes and has both kinds. out may be NULL. */
bool kws_conf_quote(const char *value, char *out, size_t n);

/* A command without what kws_conf_cut would take for a comment: # and ; outside of quotes get a \.
 * False: out (n,) is too small. */
bool kws_conf_guard(const char *command, char *out, size_t n);

/* Read all of the file, at most room bytes. Returns how many came, or -1 and errno. A named pipe may
 * have no writer, or one that never ends: ETIMEDOUT. */
enum { KWS_CONF_PATIENCE_MS = 2000 };
ssize_t kws_conf_load(const char *path, char *text, size_t room);

#endif
