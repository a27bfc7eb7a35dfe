/* picture.h - a page with axes, lines and texts, drawn by cairo: SVG, PNG or PDF, chosen by the
 * suffix of the file. One unit is one pixel; y grows downwards. Errors while drawing are reported
 * when the picture is closed. */
#ifndef KWS_CLI_PICTURE_H
#define KWS_CLI_PICTURE_H

#include "cli/replace.h"

#include <argp.h>
#include <cairo.h>
#include <stddef.h>

/* Check a name: it ends in .svg, .png or .pdf, in any case, or is "-", standard output, which gets
 * SVG. For any other name, prints what is wrong and ends the program with KWS_EXIT_USAGE. */
const char *kws_picture_need(const struct argp_state *state, const char *option, const char *path);

typedef struct {
	const char *path;
	FILE *to;
	kws_replace file; /* unless for standard output */
	cairo_surface_t *surface;
	cairo_t *cairo;
	int kind;	/* by the suffix */
	bool no_memory; /* out of memory for a text */
	/* of an SVG: what cairo writes, and the titles that go into it at its end */
	FILE *svg, *titles;
	char *svg_text, *titles_text;
	size_t n_svg, n_titles;
} kws_picture;

/* Open a white page. path: as returned by kws_picture_need(); MUST outlive p. False: the reason was
 * printed. */
bool kws_picture_open(kws_picture *p, const char *path, double width, double height);

/* If good, write the picture to its path; otherwise remove it. Returns whether it was written. */
bool kws_picture_close(kws_picture *p, bool good);

/* How to draw lines and areas. */
typedef struct {
	unsigned rgb;	/* 0xRRGGBB */
	double opacity; /* 0 counts as 1, opaque */
	double width;	/* of a line; 0 counts as 1 */
	bool dashed;
} kws_ink;

/* A colour for each word, visible on white; they repeat after ten. */
unsigned kws_picture_colour(size_t i);

typedef struct {
	double x, y;
} kws_point;

void kws_picture_line(kws_picture *p, double x0, double y0, double x1, double y1, kws_ink ink);
void kws_picture_rect(kws_picture *p, double x, double y, double w, double h, kws_ink ink);
void kws_picture_fill(kws_picture *p, double x, double y, double w, double h, kws_ink ink);
void kws_picture_dot(kws_picture *p, double x, double y, double radius, kws_ink ink);

/* Draw a line through points (n,), or fill the area inside. */
void kws_picture_path(kws_picture *p, const kws_point *point, size_t n, kws_ink ink);
void kws_picture_area(kws_picture *p, const kws_point *point, size_t n, kws_ink ink);

enum kws_anchor { KWS_START, KWS_MIDDLE, KWS_END }; /* the part of a text that is at x */

typedef struct {
	enum kws_anchor anchor;
	unsigned rgb;
	double size;	   /* 0 counts as 12 */
	bool bold, turned; /* turned: upwards */
} kws_type;

/* Draw a text with its base line at y. It may contain any bytes. */
void kws_picture_text(kws_picture *p, double x, double y, kws_type type, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/* How wide a text is. */
double kws_picture_text_width(kws_picture *p, kws_type type, const char *text);

/* What an SVG tells while the pointer is over a rectangle; in a PNG or PDF nothing. The text may
 * contain any bytes. */
void kws_picture_title(kws_picture *p, double x, double y, double w, double h, const char *format,
		       ...) __attribute__((format(printf, 6, 7)));

/* Draw pixels (rows, columns), 0xRRGGBB each, stretched over a rectangle. They are not used after
 * the call. */
void kws_picture_image(kws_picture *p, double x, double y, double w, double h,
		       const unsigned *pixel, size_t columns, size_t rows);

/* KWS_DEVIATE: of shares, 0 to 1, which are as far apart as the deviates of the normal distribution
 * that they belong to. Such an axis shows the tails of two normal distributions as a straight
 * line. */
enum kws_scale { KWS_LINEAR, KWS_LOG, KWS_DEVIATE };

/* A range of values on the page: lo is at `from', hi at `to'. */
typedef struct {
	double lo, hi, from, to;
	enum kws_scale scale;
} kws_axis;

double kws_axis_at(const kws_axis *a, double value);

/* A round step (1, 2 or 5 times a power of ten) that divides a span into at most `most' parts. */
double kws_axis_step(double span, double most);

#endif
