/* conf.h - the configuration: one table of keys, read by inih, printed back by `kwsd -t`.
 *
 * The structs are plain data, zeroed before they are filled, so that two configurations can be
 * compared section by section with memcmp. docs/kwsd.conf.5 says what each key means. */
#ifndef KWS_DAEMON_CONF_H
#define KWS_DAEMON_CONF_H

#include "find_model.h"

#include <stddef.h>
#include <stdio.h>

#ifndef KWS_SYSCONFDIR
#define KWS_SYSCONFDIR "/etc"
#endif

enum { KWS_CONF_TEXT = 184, KWS_CONF_WORDS = 64, KWS_CONF_ARGS = 32 };
enum { KWS_NO = 0, KWS_YES = 1, KWS_AUTO = 2 };

typedef struct {
	char device[KWS_CONF_TEXT];
	unsigned rate_hz;  /* 0: 16000, else what the device has */
	unsigned channels; /* 0: as few as serve */
	unsigned channel;  /* 0: the mean of all; n: the n-th */
	unsigned latency_ms, stall_ms, silence_s;
	unsigned backoff_ms, backoff_max_s, open_s, teardown_ms;
} kws_conf_audio;

typedef struct {
	char path[KWS_CONF_TEXT];
} kws_conf_model;

typedef struct {
	char word[48];
	float threshold; /* above 1: never */
} kws_conf_word;

typedef struct {
	int smooth_ms, refractory_ms; /* -1: as the model says */
	float threshold;	      /* -1: as the model says */
	size_t n_words;
	kws_conf_word word[KWS_CONF_WORDS];
} kws_conf_decision;

typedef struct {
	unsigned enabled, queue;
} kws_conf_stdout;

typedef struct {
	unsigned enabled, queue;
} kws_conf_journal;

typedef struct {
	char path[KWS_CONF_TEXT]; /* "": off */
	unsigned mode, queue;
} kws_conf_file;

typedef struct {
	char path[96]; /* "": off; a Unix socket's name has 107 bytes, and we need a suffix */
	unsigned mode;
	char group[48]; /* "": the daemon's own */
	unsigned clients, buffer_kb;
} kws_conf_socket;

typedef struct {
	char command[KWS_CONF_TEXT]; /* "": off */
	unsigned timeout_ms, at_once, queue;
} kws_conf_hook;

typedef struct {
	char dir[KWS_CONF_TEXT]; /* "": off */
	unsigned quota_mb, pre_ms, post_ms, queue;
	float near_miss; /* 0: off; else share of the threshold from which on a miss is kept */
} kws_conf_clips;

typedef struct {
	unsigned level;	  /* 3 error, 4 warning, 6 info, 7 debug */
	unsigned stats_s; /* 0: only on SIGUSR1 */
} kws_conf_log;

typedef struct {
	unsigned poll_ms, outage_s;
} kws_conf_service;

typedef struct {
	kws_conf_audio audio;
	kws_conf_model model;
	kws_conf_decision decision;
	kws_conf_stdout out;
	kws_conf_journal journal;
	kws_conf_file file;
	kws_conf_socket socket;
	kws_conf_hook hook;
	kws_conf_clips clips;
	kws_conf_log log;
	kws_conf_service service;
} kws_conf;

/* Called once for each thing that is wrong, e.g. "kwsd.conf:12: decision.threshold: 1.7 is not in
 * 0..1". */
typedef void kws_conf_error_fn(void *ctx, const char *text);

void kws_conf_defaults(kws_conf *c);

/* Each returns how many things were wrong; fn is told of every one of them and c holds what was
 * right. */
int kws_conf_read(kws_conf *c, const char *path, kws_conf_error_fn *fn, void *ctx);
int kws_conf_parse(kws_conf *c, const char *name, const char *text, size_t len,
		   kws_conf_error_fn *fn, void *ctx);
/* One "section.key=value" of the command line. */
int kws_conf_set(kws_conf *c, const char *assignment, kws_conf_error_fn *fn, void *ctx);
/* What no single key can say: keys that need each other. name stands before the text. */
int kws_conf_check(const kws_conf *c, const char *name, kws_conf_error_fn *fn, void *ctx);

/* The effective configuration, in a form that kws_conf_parse reads back to the same struct. */
void kws_conf_print(const kws_conf *c, FILE *out);

/* Cut a command line into words, as the hook does: blanks separate, "..." and '...' hold together,
 * \ takes the next character as it is. buf (n,) receives the text, argv at most KWS_CONF_ARGS - 1 words and
 * a NULL. Returns how many words, or -1: a quote is open, or too long. */
int kws_conf_split(const char *command, char *buf, size_t n, char *argv[KWS_CONF_ARGS]);

#endif
