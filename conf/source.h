/* source.h - where a program's configuration comes from: a file, the drop-ins next to it, and
 * options of the command line. */
#ifndef KWS_CONF_SOURCE_H
#define KWS_CONF_SOURCE_H

#include "conf/conf.h"

enum { KWS_CONF_OVERRIDES = 64 };

typedef struct {
	const char *path;		     /* NULL: defaults only */
	bool optional;			     /* a missing file means defaults */
	const char *set[KWS_CONF_OVERRIDES]; /* "section.key=value", after the file */
	size_t n_set;
} kws_conf_source;

/* Read all of it and check it. A model without a path gets that of the default model of kws. who:
 * named in errors of a configuration without a file. Returns the number of errors; fn is called for
 * each. */
int kws_conf_gather(kws_conf *c, const kws_conf_source *src, const char *who, kws_conf_error_fn *fn,
		    void *ctx);

#endif
