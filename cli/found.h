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

#endif
