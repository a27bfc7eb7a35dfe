/* out.h - how results and diagnostics are written: results on stdout, diagnostics on stderr, no
 * name breaks either. */
#ifndef KWS_CLI_OUT_H
#define KWS_CLI_OUT_H

#include "corpus/notes.h"
#include "corpus/problems.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

enum kws_format {
	KWS_FORMAT_TEXT,
	KWS_FORMAT_JSONL,
	KWS_FORMAT_CSV,
	KWS_FORMAT_AUDACITY,
	KWS_N_FORMATS
};

/* "text", "jsonl", "json" (the same), "csv", "audacity". false: no such format. */
bool kws_out_format(const char *name, enum kws_format *out);
const char *kws_out_format_name(enum kws_format format);

/* One line on stderr, "kws: ...", control characters made visible. */
void kws_out_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same about a file: its name goes before the text unless the text begins with it. */
void kws_out_complain_of(const char *path, const char *text);

/* Each problem as one such line; then there are none. */
void kws_out_problems(kws_problems *p);
void kws_out_notes(const kws_notes *notes);

/* A name for eyes: control characters as \xNN. */
void kws_out_visible(FILE *to, const char *text);

/* A CSV field as RFC 4180 has it: quoted where it must be. */
void kws_out_csv(FILE *to, const char *text);

/* A JSON string; bytes that are no UTF-8 become U+FFFD. NULL: out of memory. */
json_t *kws_out_json_text(const char *text);

/* A JSON number rounded to 6 decimals; what is not finite becomes null. */
json_t *kws_out_json_real(double x);

/* Put a value into an object, or behind a list; takes its reference. A NULL among the three is
 * memory that was lacking: the program ends with a failure, as after kws_out_no_memory(). */
void kws_out_set(json_t *object, const char *key, json_t *value);
void kws_out_append(json_t *list, json_t *value);

/* The same for a text and a number, as the two above make them, a float as one writes it (0.02 and not 0.0199999996), a
 * count, and two numbers as a list. */
void kws_out_set_text(json_t *object, const char *key, const char *text);
void kws_out_set_real(json_t *object, const char *key, double x);
void kws_out_set_float(json_t *object, const char *key, float x);
void kws_out_set_size(json_t *object, const char *key, size_t n);
void kws_out_set_pair(json_t *object, const char *key, double first, double second);

/* Something is missing in what was put out, for lack of memory. */
void kws_out_no_memory(void);

/* Whether all that was put out so far is whole. */
bool kws_out_is_whole(void);

/* One object, one line on stdout; takes the reference. */
void kws_out_json_line(json_t *object);

/* Send out what is buffered. false: nobody can read it any more, and there is no use in going
 * on. */
bool kws_out_flush(void);

/* To be called first. */
void kws_out_start(void);

/* To be called last: the exit status, KWS_EXIT_INPUT instead of KWS_EXIT_OK when stdout could not
 * be written. Says why, except when the reader has just gone. */
int kws_out_finish(int status);

#endif
