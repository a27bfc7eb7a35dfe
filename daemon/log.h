/* log.h - lines on stderr, which never make the daemon wait.
 *
 * "kwsd: warning: text"; when stderr is the journal, systemd's form: "<4>text". A line that stderr has no room for
 * is dropped, and the next one that gets through says how many were. Any thread may log. */
#ifndef KWS_DAEMON_LOG_H
#define KWS_DAEMON_LOG_H

#include <stdbool.h>

/* The longest line. One that is longer ends in "...". */
enum { KWS_LOG_LINE = 4096 };
enum { KWS_LOG_ERROR = 3, KWS_LOG_WARNING = 4, KWS_LOG_INFO = 6, KWS_LOG_DEBUG = 7 };

/* Keep stderr for us alone and, unless debug, send what libraries write there to /dev/null: one
 * look at the sound devices makes ALSA and JACK write some sixty lines. Before this, logging goes
 * to plain stderr. */
void kws_log_open(bool debug);
void kws_log_level(int level);
/* Whether fd is the journal, and not merely a child of something whose output went there. */
bool kws_log_is_journal(int fd);
int kws_log_fd(void);
unsigned long kws_log_dropped(void);

void kws_log(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
