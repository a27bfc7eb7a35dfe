/* picture.h - SVG by hand: axes, lines and texts. One unit is one pixel. */
#ifndef KWS_CLI_PICTURE_H
#define KWS_CLI_PICTURE_H

#include "cli/replace.h"

#include <stddef.h>

/* A colour for each word, legible on white; they repeat after ten. */
const char *kws_picture_colour(size_t i);

typedef struct {
	FILE *to;
	const char *path; /* "-": standard output */
	kws_replace file;
} kws_picture;

/* false: said why not. */
bool kws_picture_open(kws_picture *p, const char *path, double width, double height);

/* If good, put it in its place; else there is none. Returns whether it stands there. */
bool kws_picture_close(kws_picture *p, bool good);

/* anchor: "start", "middle" or "end" of the text lies at x. Any bytes may be in it. */
void kws_picture_text(kws_picture *p, double x, double y, const char *anchor, const char *style,
		      const char *format, ...) __attribute__((format(printf, 6, 7)));
void kws_picture_line(kws_picture *p, double x0, double y0, double x1, double y1,
		      const char *style);
void kws_picture_rect(kws_picture *p, double x, double y, double w, double h, const char *style);

/* A range of values and where it lies: lo at `from', hi at `to'. */
typedef struct {
	double lo, hi, from, to;
	bool log;
} kws_axis;

double kws_axis_at(const kws_axis *a, double value);

/* A round step (1, 2 or 5 times a power of ten) that divides a span into `most' parts or fewer. */
double kws_axis_step(double span, double most);

/* An image of 8-bit RGB pixels (h, w, 3), stretched over a rectangle, as a PNG within the picture.
 * false: said why not. */
bool kws_picture_image(kws_picture *p, double x, double y, double w, double h,
		       const unsigned char *rgb, size_t columns, size_t rows);

#endif
