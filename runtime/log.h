/* log.h - writes lines to stderr and never makes the program wait.
 *
 * "kwsd: warning: text"; if stderr is the journal, systemd's form: "<4>text". A line is dropped if
 * stderr has no room for it; the next line that gets through gives the number of dropped lines. Any
 * thread may log. */
#ifndef KWS_RUNTIME_LOG_H
#define KWS_RUNTIME_LOG_H

#include <stdbool.h>

/* The longest line. A longer one is cut and ends in "...". */
enum { KWS_LOG_LINE = 4096 };
enum { KWS_LOG_ERROR = 3, KWS_LOG_WARNING = 4, KWS_LOG_INFO = 6, KWS_LOG_DEBUG = 7 };

/* The name of the program, before each line; "kwsd" until then. It must stay where it is. */
void kws_log_name(const char *name);
/* Keep stderr for the log alone. Unless debug, what libraries write there goes to /dev/null: ALSA and
 * JACK write some sixty lines for one search for sound devices. Before this call, logging goes to
 * plain stderr. */
void kws_log_open(bool debug);
void kws_log_level(int level);
/* Whether fd itself is the journal: $JOURNAL_STREAM alone may be inherited from another process. */
bool kws_log_is_journal(int fd);
int kws_log_fd(void);
unsigned long kws_log_dropped(void);

void kws_log(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
