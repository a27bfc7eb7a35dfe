/* picture.h - a page with axes, lines and texts, drawn by cairo: SVG, PNG or PDF by the ending of
 * its name. One unit is one pixel; y grows downwards. What goes wrong while drawing shows when it is
 * closed. */
#ifndef KWS_CLI_PICTURE_H
#define KWS_CLI_PICTURE_H

#include "cli/replace.h"

#include <argp.h>
#include <cairo.h>
#include <stddef.h>

/* A name that ends in .svg, .png or .pdf, in any capitals, or "-", standard output, which gets SVG.
 * For any other, prints what is wrong and ends the program with KWS_EXIT_USAGE. */
const char *kws_picture_need(const struct argp_state *state, const char *option, const char *path);

typedef struct {
	const char *path;
	FILE *to;
	kws_replace file; /* unless it goes to standard output */
	cairo_surface_t *surface;
	cairo_t *cairo;
	int kind;	/* of its name's ending */
	bool no_memory; /* for a text */
} kws_picture;

/* A white page. path as kws_picture_need() takes it; MUST outlive p. false: said why not. */
bool kws_picture_open(kws_picture *p, const char *path, double width, double height);

/* If good, put it in its place; else there is none. Returns whether it stands there. */
bool kws_picture_close(kws_picture *p, bool good);

/* What lines and areas are drawn with. */
typedef struct {
	unsigned rgb;	/* 0xRRGGBB */
	double opacity; /* 0 counts as 1, opaque */
	double width;	/* of a line; 0 counts as 1 */
	bool dashed;
} kws_ink;

/* A colour for each word, legible on white; they repeat after ten. */
unsigned kws_picture_colour(size_t i);

typedef struct {
	double x, y;
} kws_point;

void kws_picture_line(kws_picture *p, double x0, double y0, double x1, double y1, kws_ink ink);
void kws_picture_rect(kws_picture *p, double x, double y, double w, double h, kws_ink ink);
void kws_picture_fill(kws_picture *p, double x, double y, double w, double h, kws_ink ink);
void kws_picture_dot(kws_picture *p, double x, double y, double radius, kws_ink ink);

/* A line through points (n,), or the area within. */
void kws_picture_path(kws_picture *p, const kws_point *point, size_t n, kws_ink ink);
void kws_picture_area(kws_picture *p, const kws_point *point, size_t n, kws_ink ink);

enum kws_anchor { KWS_START, KWS_MIDDLE, KWS_END }; /* which part of a text lies at x */

typedef struct {
	enum kws_anchor anchor;
	unsigned rgb;
	double size;	   /* 0 counts as 12 */
	bool bold, turned; /* turned: upwards */
} kws_type;

/* A text whose base line begins at y. Any bytes may be in it. */
void kws_picture_text(kws_picture *p, double x, double y, kws_type type, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/* Pixels (rows, columns), 0xRRGGBB each, stretched over a rectangle. They are not used any more
 * when it returns. */
void kws_picture_image(kws_picture *p, double x, double y, double w, double h,
		       const unsigned *pixel, size_t columns, size_t rows);

/* A range of values and where it lies: lo at `from', hi at `to'. */
typedef struct {
	double lo, hi, from, to;
	bool log;
} kws_axis;

double kws_axis_at(const kws_axis *a, double value);

/* A round step (1, 2 or 5 times a power of ten) that divides a span into `most' parts or fewer. */
double kws_axis_step(double span, double most);

#endif
