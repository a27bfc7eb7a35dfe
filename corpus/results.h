/* results.h - a file of results: what a command found in each recording of a list, or of one shard
 * of it, one line of JSON for each recording. A run that was stopped continues where it was, and
 * those of all shards together say what a single run would have found.
 *
 *   {"kws_results":1,"command":"spot","recordings":9,"list":"...","shard":1,"shards":8,OPTIONS...}
 *   {"i":0,"file":"a.flac",...}
 *   {"i":8,"file":"i.flac","error":"i.flac: No such file or directory"}
 *
 * The first line is the head: what was run. "i" is the place of the recording in the list, from 0;
 * of several lines with the same, the last counts. A line without its end is not there: the run was
 * stopped in it. */
#ifndef KWS_CORPUS_RESULTS_H
#define KWS_CORPUS_RESULTS_H

#include "corpus/files.h"

#include <jansson.h>

enum { KWS_RESULTS_MOST = 1000000000 }; /* recordings of a list */

/* ---- writing ---- */

typedef struct kws_results kws_results;

/* Open path for the results of `command' on files. options: an object with all that changes them,
 * the caller's. If there are some already, they MUST be of the same run; those that are there are
 * dropped from files, but not recordings that could not be read: these are tried again. While it is
 * open, no other process can open it. KWS_ERR_ARG: the file is of another run, or is none of
 * results; it is unchanged. KWS_ERR_IO, KWS_ERR_NOMEM. */
enum kws_status kws_results_open(kws_results **out, const char *path, const char *command,
				 const json_t *options, kws_files *files, kws_error *err);

/* Recordings that were done before. */
size_t kws_results_before(const kws_results *r);

/* Append the result of a recording, an object; takes the reference. error: why it could not be read,
 * or not whole; NULL: it could. After a failure every other fails, too. KWS_ERR_IO, KWS_ERR_NOMEM. */
enum kws_status kws_results_add(kws_results *r, size_t index, const char *path, const char *error,
				json_t *result, kws_error *err);

/* KWS_ERR_IO: what was added may not be there. NULL: does nothing. */
enum kws_status kws_results_close(kws_results *r, kws_error *err);

/* ---- reading ---- */

typedef struct kws_results_set kws_results_set;

/* Open the results of the shards of one run, in any order. The paths MUST outlive the set.
 * KWS_ERR_FORMAT: the error names the place: "2.jsonl:17: recording 4 is not of shard 2". */
enum kws_status kws_results_set_open(kws_results_set **out, char *const *path, size_t n,
				     kws_error *err);
void kws_results_set_close(kws_results_set *s);

const char *kws_results_set_command(const kws_results_set *s);
const json_t *kws_results_set_head(const kws_results_set *s); /* with the options */
size_t kws_results_set_count(const kws_results_set *s);	      /* recordings of the list */

/* Add a problem for each shard of which results are missing. Returns how many are, of all. */
size_t kws_results_set_missing(const kws_results_set *s, kws_problems *problems);

/* Read the result of recording i, which the caller owns; NULL: there is none. KWS_ERR_IO,
 * KWS_ERR_FORMAT: the file has changed since it was opened. */
enum kws_status kws_results_set_get(kws_results_set *s, size_t i, json_t **result, kws_error *err);

/* The error that reading it gave; NULL: none. */
const char *kws_results_error(const json_t *result);

/* Its path, which the caller frees; "" if it has none. NULL: memory was short. */
char *kws_results_path(const json_t *result);

#endif
