/* conf.h - the configuration: one table of keys, read by inih, printed back by `kwsd -t`.
 *
 * Sections repeat: [audio kitchen], [model jarvis]; a plain one has the name "". The structs are
 * plain data, zeroed before they are filled, so that two configurations can be compared section by
 * section with memcmp. docs/kwsd.conf.5 says what each key means. */
#ifndef KWS_DAEMON_CONF_H
#define KWS_DAEMON_CONF_H

#include "kws.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#ifndef KWS_SYSCONFDIR
#define KWS_SYSCONFDIR "/etc"
#endif

enum { KWS_CONF_TEXT = 184, KWS_CONF_WORDS = 64, KWS_CONF_ARGS = 32 };
enum { KWS_NO = 0, KWS_YES = 1, KWS_AUTO = 2 };
/* The longest name of a section with its 0, and how many sections of a kind there may be. */
enum { KWS_CONF_NAME = KWS_NAME, KWS_CONF_AUDIOS = 8, KWS_CONF_MODELS = 16, KWS_CONF_SINKS = 8 };
/* Room for each client of [control] beside its buffer_kb: answers, and its own line. */
enum { KWS_CONF_CONTROL_KB = 192 };
/* What a named [decision] does not say: the plain one's holds. */
enum { KWS_CONF_UNSAID = -2 };

typedef struct {
	char name[KWS_CONF_NAME];
	unsigned enabled; /* KWS_NO: not opened */
	char device[KWS_CONF_TEXT];
	char models[KWS_CONF_TEXT]; /* names with one blank between; "": all */
	unsigned rate_hz;	    /* 0: 16000, else what the device has */
	unsigned channels;	    /* 0: as few as serve */
	unsigned channel;	    /* 0: the mean of all; n: the n-th */
	unsigned latency_ms, stall_ms, silence_s;
	unsigned backoff_ms, backoff_max_s, open_s, teardown_ms;
} kws_conf_audio;

typedef struct {
	char name[KWS_CONF_NAME];
	char path[KWS_CONF_TEXT];  /* "": the one that kws would open */
	char after[KWS_CONF_NAME]; /* the model whose words open this one; "": not gated */
	float within_s;		   /* how long after such a word its own may begin */
} kws_conf_model;

typedef struct {
	char word[48];
	float threshold; /* above 1: never */
} kws_conf_word;

/* [decision] and [threshold] of one model; of all with the name "". */
typedef struct {
	char name[KWS_CONF_NAME];
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
	char name[KWS_CONF_NAME];
	char path[KWS_CONF_TEXT]; /* "": off */
	unsigned mode, queue;
} kws_conf_file;

typedef struct {
	char name[KWS_CONF_NAME];
	char path[96]; /* "": off; a Unix socket's name has 107 bytes, and we need a suffix */
	unsigned mode;
	char group[48]; /* "": the daemon's own */
	unsigned clients, buffer_kb;
} kws_conf_socket;

typedef struct {
	char name[KWS_CONF_NAME];
	char command[KWS_CONF_TEXT]; /* "": off */
	unsigned timeout_ms, at_once, queue;
} kws_conf_hook;

typedef struct {
	char dir[KWS_CONF_TEXT]; /* "": off */
	unsigned quota_mb, pre_ms, post_ms, queue;
	float near_miss; /* share of the threshold from which on a miss is kept; 0: none is */
} kws_conf_clips;

typedef struct {
	char path[96]; /* "": off; "auto": $RUNTIME_DIRECTORY/control, off without one */
	unsigned mode;
	char group[48]; /* "": the daemon's own */
	unsigned clients, buffer_kb;
	char state[KWS_CONF_TEXT]; /* what was set and is to be kept; "": nothing is; "auto":
				      $STATE_DIRECTORY/kept.conf, nothing without one */
} kws_conf_control;

typedef struct {
	unsigned level;	  /* 3 error, 4 warning, 6 info, 7 debug */
	unsigned stats_s; /* 0: only on SIGUSR1 */
} kws_conf_log;

typedef struct {
	unsigned poll_ms, outage_s;
} kws_conf_service;

/* Of each kind that repeats there is one at least: without any in the files, a plain one with the
 * defaults. There is always a plain decision. The elements stand in the order of the files. */
typedef struct {
	size_t n_audio, n_model, n_decision, n_file, n_socket, n_hook;
	kws_conf_audio audio[KWS_CONF_AUDIOS];
	kws_conf_model model[KWS_CONF_MODELS];
	kws_conf_decision decision[KWS_CONF_MODELS + 1];
	kws_conf_file file[KWS_CONF_SINKS];
	kws_conf_socket socket[KWS_CONF_SINKS];
	kws_conf_hook hook[KWS_CONF_SINKS];
	kws_conf_stdout out;
	kws_conf_journal journal;
	kws_conf_clips clips;
	kws_conf_control control;
	kws_conf_log log;
	kws_conf_service service;
} kws_conf;

/* Called once for each thing that is wrong, e.g. "kwsd.conf:12: [audio kitchen] rate_hz: x is not
 * in 0..192000". */
typedef void kws_conf_error_fn(void *ctx, const char *text);

/* Reading is begin, then file, drop-ins and options, then end. Each function returns how many things
 * were wrong; fn is told of every one of them and c holds what was right. Within one text no key may
 * stand twice; of a key that is given again by another the last counts. */
void kws_conf_begin(kws_conf *c);
int kws_conf_parse(kws_conf *c, const char *name, const char *text, size_t len,
		   kws_conf_error_fn *fn, void *ctx);
int kws_conf_read(kws_conf *c, const char *path, kws_conf_error_fn *fn, void *ctx);
/* All of conf.d/NAME.conf beside the file path, in the order of their names. */
int kws_conf_read_dropins(kws_conf *c, const char *path, kws_conf_error_fn *fn, void *ctx);
/* One "section.key=value" of the command line: "log.level=debug", "audio kitchen.device=x". */
int kws_conf_set(kws_conf *c, const char *assignment, kws_conf_error_fn *fn, void *ctx);
/* The plain sections of kinds that nobody named. */
void kws_conf_end(kws_conf *c);
/* Begin and end: what holds without any file. */
void kws_conf_defaults(kws_conf *c);

/* While kwsd runs, after kws_conf_end: only keys that need no reload are taken (all of [decision] and
 * [threshold], and enabled of [audio]), only in sections that are there, but for a new [decision NAME]
 * or [threshold NAME]. kws_conf_check says whether the whole is still right. */
int kws_conf_set_live(kws_conf *c, const char *assignment, kws_conf_error_fn *fn, void *ctx);
/* What kws_conf_print_kept has written. */
int kws_conf_read_kept(kws_conf *c, const char *path, kws_conf_error_fn *fn, void *ctx);
/* What was changed by kws_conf_set_live between from and to. */
void kws_conf_print_kept(const kws_conf *from, const kws_conf *to, FILE *out);

/* What no single key can say: keys that need each other. name stands before the text. */
int kws_conf_check(const kws_conf *c, const char *name, kws_conf_error_fn *fn, void *ctx);

/* The effective configuration, in a form that reads back to the same struct. */
void kws_conf_print(const kws_conf *c, FILE *out);

/* A section as the file writes it: "[audio kitchen]", "[log]" with the name "". */
enum { KWS_CONF_TITLE = KWS_CONF_NAME + 16 };
const char *kws_conf_title(const char *section, const char *name, char title[KWS_CONF_TITLE]);

/* What is in force for the model of this name: its own [decision] and [threshold] over the plain
 * ones. A word of [threshold] comes before any threshold of [decision]. Words of the plain
 * [threshold] may be such as this model does not have. */
void kws_conf_decision_for(const kws_conf *c, const char *model, kws_conf_decision *out);

/* Whether this microphone hears the model of this name. */
bool kws_conf_hears(const kws_conf_audio *a, const char *model);

/* Cut a command line into words, as the hook does: blanks separate, "..." and '...' hold together,
 * \ takes the next character as it is. buf (n,) receives the text, argv at most KWS_CONF_ARGS - 1
 * words and a NULL. Returns how many words, or -1: a quote is open, or too long. */
int kws_conf_split(const char *command, char *buf, size_t n, char *argv[KWS_CONF_ARGS]);

#endif
