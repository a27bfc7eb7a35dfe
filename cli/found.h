/* found.h - a word that kws spot has found, and how it is printed. */
#ifndef KWS_CLI_FOUND_H
#define KWS_CLI_FOUND_H

#include "cli/models.h"
#include "cli/out.h"

typedef struct {
	kws_event event;
	const kws_named_model *by;
	/* spotter, after and after_id; the texts are the caller's */
	const char *file, *after, *after_id;
} kws_found;

typedef struct {
	const kws_models *models;
	enum kws_format format;
	bool several_files; /* each line says of which */
} kws_found_style;

void kws_found_head(const kws_found_style *style, FILE *to);
void kws_found_print(const kws_found_style *style, const kws_found *found, FILE *to);

/* The event as a part of a result (corpus/results.h), to the last bit; all but the file. */
json_t *kws_found_json(const kws_models *models, const kws_found *found);

/* The reverse; the texts are those of `from'. False: it is no event of these models. */
bool kws_found_parse(kws_found *found, const kws_models *models, const json_t *from);

#endif
