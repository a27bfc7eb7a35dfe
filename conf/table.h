/* table.h - the table of sections and their keys. Only for the files that implement conf.h. */
#ifndef KWS_CONF_TABLE_H
#define KWS_CONF_TABLE_H

#include "conf/conf.h"
#include "conf/kinds.h"

enum { KWS_CONF_LINE = 256 }; /* longer than any valid line of a file */

/* A section that repeats is an array in kws_conf; its elements begin with their name. */
typedef struct {
	const char *name;
	size_t at, size; /* offset of the struct or array; size of the struct or element */
	size_t max;	 /* elements; 1: does not repeat, and has no name */
	size_t count_at; /* if it repeats: offset of the number of elements */
	bool common;	 /* the plain section applies to all, and always exists */
} kws_conf_section;

extern const kws_conf_section kws_conf_sections[];
extern const kws_conf_key kws_conf_keys[]; /* grouped by section */
extern const size_t kws_conf_n_sections, kws_conf_n_keys;

const kws_conf_section *kws_conf_section_find(const char *name);
const kws_conf_key *kws_conf_key_find(const char *section, const char *name);
bool kws_conf_repeats(const kws_conf_section *s);
size_t kws_conf_count_of(const kws_conf *c, const kws_conf_section *s);
const void *kws_conf_at(const kws_conf *c, const kws_conf_section *s, size_t i);
void *kws_conf_element(kws_conf *c, const kws_conf_section *s, size_t i);
const char *kws_conf_name_of(const kws_conf *c, const kws_conf_section *s, size_t i);
/* The index of the element with this name; kws_conf_count_of: there is none. */
size_t kws_conf_index(const kws_conf *c, const kws_conf_section *s, const char *name);
/* Add an element with the defaults. There MUST be fewer than s->max. */
void *kws_conf_add(kws_conf *c, const kws_conf_section *s, const char *name);
void kws_conf_put_defaults(const kws_conf_section *s, void *element);
/* Whether the first key of this element is neither "no" nor empty. */
bool kws_conf_is_on(const kws_conf *c, const kws_conf_section *s, size_t i);

/* A path that is written to; all zero before the first. */
typedef struct {
	char key[KWS_CONF_TITLE + 16]; /* "[file log] path" */
	const char *path;	       /* points into the configuration */
	enum kws_conf_what what;
	size_t next_key, next;
} kws_conf_place;

/* Go to the next path that is neither off nor auto, in the order of the table. False: none is
 * left. */
bool kws_conf_next_place(const kws_conf *c, kws_conf_place *p);

/* Reports errors as "NAME:LINE: ..." and counts them. */
typedef struct {
	const char *name; /* of the file or the option */
	int line;	  /* 0: not from a file */
	int errors;
	kws_conf_error_fn *fn;
	void *ctx;
} kws_conf_told;

__attribute__((format(printf, 2, 3))) void kws_conf_tell(kws_conf_told *t, const char *format, ...);

/* As kws_conf_parse, for kws_conf_read_kept. */
int kws_conf_parse_live(kws_conf *c, const char *name, const char *text, size_t len,
			kws_conf_error_fn *fn, void *ctx);

#endif
