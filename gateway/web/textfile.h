/* textfile.h - metrics as a file, for node_exporter's textfile collector: for machines that nobody
 * can reach by HTTP. */
#ifndef KWS_WEB_TEXTFILE_H
#define KWS_WEB_TEXTFILE_H

#include "kws.h"

/* Write text (n,) to path, complete or not at all: under another name first. */
enum kws_status kws_textfile_write(const char *path, const char *text, size_t n, kws_error *err);

#endif
