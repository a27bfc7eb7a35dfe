/* out.h - writes results to stdout and diagnostics to stderr. A file name with control characters
 * breaks neither. */
#ifndef KWS_CLI_OUT_H
#define KWS_CLI_OUT_H

#include "corpus/notes.h"
#include "corpus/problems.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum kws_format {
	KWS_FORMAT_TEXT,
	KWS_FORMAT_JSONL,
	KWS_FORMAT_CSV,
	KWS_FORMAT_AUDACITY,
	KWS_N_FORMATS
};

/* Read a format: "text", "jsonl", "json" (the same), "csv", "audacity". False: unknown. */
bool kws_out_format(const char *name, enum kws_format *out);
const char *kws_out_format_name(enum kws_format format);

/* Print one line to stderr, "kws: ...", with control characters made visible. */
void kws_out_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same about a file: its name precedes the text, unless the text begins with it. */
void kws_out_complain_of(const char *path, const char *text);

/* Print each problem as such a line, and empty the list. */
void kws_out_problems(kws_problems *p);
void kws_out_notes(const kws_notes *notes);

/* Print a name for people: control characters as \xNN. */
void kws_out_visible(FILE *to, const char *text);

/* Print a CSV field as in RFC 4180, quoted if necessary. */
void kws_out_csv(FILE *to, const char *text);

/* A JSON string; bytes that are not UTF-8 become U+FFFD. NULL: out of memory. */
json_t *kws_out_json_text(const char *text);

/* A JSON number rounded to 6 decimals; null if it is not finite. */
json_t *kws_out_json_real(double x);

/* Set a member of an object, or append to a list; takes the value's reference. If one of the
 * arguments is NULL, memory was short: the program ends with a failure, as after
 * kws_out_no_memory(). */
void kws_out_set(json_t *object, const char *key, json_t *value);
void kws_out_append(json_t *list, json_t *value);

/* The same for a text, a number (both as above), a float with its shortest digits (0.02, not
 * 0.0199999996), a count, and a pair of numbers as a list. */
void kws_out_set_text(json_t *object, const char *key, const char *text);
void kws_out_set_real(json_t *object, const char *key, double x);
void kws_out_set_float(json_t *object, const char *key, float x);
void kws_out_set_size(json_t *object, const char *key, uint64_t n);
void kws_out_set_pair(json_t *object, const char *key, double first, double second);

/* Note that the output lacks something for want of memory. */
void kws_out_no_memory(void);

/* Whether the output so far is complete. */
bool kws_out_is_whole(void);

/* Print an object as one line on stdout; takes the reference. */
void kws_out_json_line(json_t *object);

/* Flush stdout. False: the reader has gone, so the program may stop. */
bool kws_out_flush(void);

/* Call it first. */
void kws_out_start(void);

/* Call it last. Returns the exit status: KWS_EXIT_INPUT instead of KWS_EXIT_OK if stdout could not
 * be written. Says why, unless the reader has just gone. */
int kws_out_finish(int status);

#endif
