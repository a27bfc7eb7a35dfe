/* conf.h - the configuration: one table of keys, read by inih, printed by `kwsd -t`.
 *
 * Some sections repeat with a name: [audio kitchen], [model jarvis]. A plain section has the name
 * "". The structs are plain data and zeroed before they are filled, so that memcmp can compare
 * sections of two configurations. docs/kwsd.conf.5 explains each key. */
#ifndef KWS_CONF_CONF_H
#define KWS_CONF_CONF_H

#include "kws.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#ifndef KWS_SYSCONFDIR
#define KWS_SYSCONFDIR "/etc"
#endif

enum { KWS_CONF_TEXT = 184, KWS_CONF_WORDS = 64, KWS_CONF_ARGS = 32 };
enum { KWS_NO = 0, KWS_YES = 1, KWS_AUTO = 2 };
/* The size of a section's name with its final 0, and how many sections of a kind there may be. */
enum { KWS_CONF_NAME = KWS_NAME, KWS_CONF_AUDIOS = 8, KWS_CONF_MODELS = 16, KWS_CONF_SINKS = 8 };
/* KiB for each client of [control] besides its buffer_kb: for answers, and the line it sends. */
enum { KWS_CONF_CONTROL_KB = 192 };
/* The longest part of a clip besides pre_ms and post_ms: of the word. */
enum { KWS_CONF_CLIP_WORD_MS = 2000 };
/* latency_ms of audio = power: five wakes a second. */
enum { KWS_CONF_POWER_MS = 200 };
/* A key that a named [decision] does not set: the plain section's value applies. */
enum { KWS_CONF_UNSAID = -2 };

typedef struct {
	char name[KWS_CONF_NAME];
	unsigned enabled; /* KWS_NO: not opened */
	char device[KWS_CONF_TEXT];
	char models[KWS_CONF_TEXT]; /* names, separated by one blank; "": all */
	unsigned rate_hz;	    /* 0: 16000, or else the device's rate */
	unsigned channels;	    /* 0: as few as possible */
	unsigned channel;	    /* 0: the mean of all; n: the n-th, from 1 */
	unsigned latency_ms, stall_ms, silence_s;
	unsigned backoff_ms, backoff_max_s, open_s, teardown_ms;
	float squelch_db; /* 0: off */
} kws_conf_audio;

typedef struct {
	char name[KWS_CONF_NAME];
	char path[KWS_CONF_TEXT];  /* "": the default model of kws */
	char after[KWS_CONF_NAME]; /* the model whose words open this one; "": not gated */
	float within_s;		   /* how long after such a word a word of this model may begin */
} kws_conf_model;

typedef struct {
	char word[48];
	float threshold; /* above 1: the word is off; -1: the model's value */
} kws_conf_word;

/* [decision] and [threshold] of one model; with the name "", of all models. */
typedef struct {
	char name[KWS_CONF_NAME];
	int smooth_ms, refractory_ms; /* -1: the model's value */
	float threshold;	      /* -1: the model's value */
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
	char path[96]; /* "": off; a Unix socket's path has at most 107 bytes, with our suffix */
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
	float near_miss; /* keep near misses from this fraction of the threshold on; 0: none */
} kws_conf_clips;

typedef struct {
	char path[96]; /* "": off; "auto": $RUNTIME_DIRECTORY/control, off without that variable */
	unsigned mode;
	char group[48]; /* "": the daemon's own */
	unsigned clients, buffer_kb;
	char state[KWS_CONF_TEXT]; /* file for settings to keep; "": none; "auto":
				      $STATE_DIRECTORY/kept.conf, none without that variable */
} kws_conf_control;

typedef struct {
	char listen[64];	   /* "": only on sockets of systemd */
	char token[KWS_CONF_TEXT]; /* file; "": the credential of the unit, or none */
	char hosts[KWS_CONF_TEXT]; /* more names by which browsers may ask, separated by blanks */
	unsigned pages;		   /* that may look at once */
	unsigned clips;		   /* KWS_YES: clips are served */
	char textfile[KWS_CONF_TEXT]; /* "": off */
	unsigned textfile_s;
} kws_conf_web;

typedef struct {
	unsigned level;	  /* 3 error, 4 warning, 6 info, 7 debug */
	unsigned stats_s; /* 0: only on SIGUSR1 */
} kws_conf_log;

typedef struct {
	unsigned outage_s;
} kws_conf_service;

/* Of kwsd-mqtt. */
typedef struct {
	char host[KWS_CONF_TEXT];
	unsigned port; /* 0: 1883, with TLS 8883 */
	unsigned tls;
	char ca[KWS_CONF_TEXT], cert[KWS_CONF_TEXT], key[KWS_CONF_TEXT];
	char user_file[KWS_CONF_TEXT], password_file[KWS_CONF_TEXT]; /* "": the credentials */
	char client_id[64];					     /* "": kwsd-SITE */
	unsigned qos, keepalive_s, backoff_max_s;
	char site[KWS_CONF_NAME]; /* "": the host's name */
	char topic[96], discovery[96];
	char name[64], area[64], url[KWS_CONF_TEXT];
	unsigned hermes, interval_s, late_s;
	char spool[KWS_CONF_TEXT]; /* "": in memory only; "auto": $STATE_DIRECTORY/events.spool, in
				      memory without that variable */
	unsigned spool_kb, spool_age_s;
} kws_conf_mqtt;
/* Of kwsd-wyoming. */
typedef struct {
	char uri[KWS_CONF_TEXT]; /* addresses, separated by blanks */
	unsigned mode;		 /* of its Unix sockets */
	char group[48];		 /* "": its own */
	unsigned clients, idle_s;
	char languages[64]; /* separated by blanks */
} kws_conf_wyoming;

/* Each repeating kind has at least one element: if the files have none, a plain one with the
 * defaults. There is always a plain decision. The elements are in the order of the files. */
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
	kws_conf_web web;
	kws_conf_log log;
	kws_conf_service service;
	kws_conf_mqtt mqtt;
	kws_conf_wyoming wyoming;
} kws_conf;

/* Called once for each error, e.g. "kwsd.conf:12: [audio kitchen] rate_hz: x is not in
 * 0..192000". */
typedef void kws_conf_error_fn(void *ctx, const char *text);

/* To read a configuration: begin; then the file, drop-ins and options; then end. Each function
 * returns the number of errors and calls fn for each of them; c gets everything that is right. A
 * key may occur only once in one text; a later text overrides it. */
void kws_conf_begin(kws_conf *c);
int kws_conf_parse(kws_conf *c, const char *name, const char *text, size_t len,
		   kws_conf_error_fn *fn, void *ctx);
int kws_conf_read(kws_conf *c, const char *path, kws_conf_error_fn *fn, void *ctx);
/* All files conf.d/NAME.conf next to the file path, sorted by name. */
int kws_conf_read_dropins(kws_conf *c, const char *path, kws_conf_error_fn *fn, void *ctx);
/* One "section.key=value" from the command line: "log.level=debug", "audio kitchen.device=x". */
int kws_conf_set(kws_conf *c, const char *assignment, kws_conf_error_fn *fn, void *ctx);
/* Add plain sections of the kinds that have none. */
void kws_conf_end(kws_conf *c);
/* Begin and end: the configuration without any file. */
void kws_conf_defaults(kws_conf *c);

/* Set a key while kwsd runs, after kws_conf_end. Takes only keys that need no reload (all of
 * [decision] and [threshold], and enabled of [audio]), and only in existing sections or a new
 * [decision NAME] or [threshold NAME]. kws_conf_check tells whether the result is still valid. */
int kws_conf_set_live(kws_conf *c, const char *assignment, kws_conf_error_fn *fn, void *ctx);
/* Read what kws_conf_print_kept has written. */
int kws_conf_read_kept(kws_conf *c, const char *path, kws_conf_error_fn *fn, void *ctx);
/* Write what kws_conf_set_live has changed between from and to. */
void kws_conf_print_kept(const kws_conf *from, const kws_conf *to, FILE *out);

/* Check what depends on several keys. name is put before each error. */
int kws_conf_check(const kws_conf *c, const char *name, kws_conf_error_fn *fn, void *ctx);

/* Print the effective configuration. Reading it gives the same struct. */
void kws_conf_print(const kws_conf *c, FILE *out);
/* The SHA-256 of what kws_conf_print prints: two programs with the same hash have the same settings.
 * False: out of memory. */
enum { KWS_CONF_HASH = 65 };
bool kws_conf_hash(const kws_conf *c, char hex[KWS_CONF_HASH]);
/* Only the sections of these names, in this order; NULL at the end. There MUST be such sections. */
void kws_conf_print_sections(const kws_conf *c, const char *const *names, FILE *out);

/* A section as written in the file: "[audio kitchen]"; "[log]" with the name "". */
enum { KWS_CONF_TITLE = KWS_CONF_NAME + 16 };
const char *kws_conf_title(const char *section, const char *name, char title[KWS_CONF_TITLE]);

/* What applies to the model of this name: its own [decision] and [threshold], then the plain ones.
 * A word of [threshold] overrides every threshold of [decision]. The plain [threshold] may have
 * words that this model does not have. */
void kws_conf_decision_for(const kws_conf *c, const char *model, kws_conf_decision *out);

/* Whether the model of this name runs on this microphone. */
bool kws_conf_hears(const kws_conf_audio *a, const char *model);

/* Split a command line into words, as the hook does: blanks separate words, "..." and '...' quote
 * text, \ escapes the next character. buf (n,) receives the text, argv at most KWS_CONF_ARGS - 1
 * words and a NULL. Returns the number of words; -1: a quote is not closed, or the line is too
 * long. */
int kws_conf_split(const char *command, char *buf, size_t n, char *argv[KWS_CONF_ARGS]);

#endif
