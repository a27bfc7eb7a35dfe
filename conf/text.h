/* text.h - loads the text of a configuration, and reads values with quotes and comments.
 *
 *   value            ends at a # or ; that begins a comment: at the start, or after a blank
 *   "value" 'value'  the text between the quotes, unchanged; only a comment may follow
 *
 * A command (kws_conf_split) keeps its quotes; # or ; inside them does not begin a comment. */
#ifndef KWS_CONF_TEXT_H
#define KWS_CONF_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Copy the value at the start of text to out (n,), which is at least as long as text. Returns NULL,
 * or what is wrong. */
const char *kws_conf_cut(const char *text, bool command, char *out, size_t n);

/* Write value so that kws_conf_cut reads it back, in quotes if necessary. False: it needs quotes
 * but contains both kinds. out may be NULL. */
bool kws_conf_quote(const char *value, char *out, size_t n);

/* Put a \ before each # and ; outside of quotes, so that kws_conf_cut finds no comment in the
 * command. False: out (n,) is too small. */
bool kws_conf_guard(const char *command, char *out, size_t n);

/* Read the whole file, at most room bytes. Returns the number of bytes, or -1 with errno.
 * ETIMEDOUT: a named pipe has no writer, or one that never ends. */
enum { KWS_CONF_PATIENCE_MS = 2000 };
ssize_t kws_conf_load(const char *path, char *text, size_t room);

#endif
