#include "cli/picture.h"

#include "cli/out.h"

#include <cairo-pdf.h>
#include <cairo-svg.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SVG, PNG, PDF };

/* The kind of picture by the suffix of its name; -1: none. */
static int kind_of(const char *path)
{
	static const char *const endings[] = { [SVG] = ".svg", [PNG] = ".png", [PDF] = ".pdf" };
	const size_t n = strlen(path);
	if (strcmp(path, "-") == 0)
		return SVG;
	for (int i = SVG; i <= PDF; i++)
		if (n > 4 && strcasecmp(path + n - 4, endings[i]) == 0)
			return i;
	return -1;
}

const char *kws_picture_need(const struct argp_state *state, const char *option, const char *path)
{
	if (kind_of(path) < 0)
		argp_error(state, "%s: '%s' does not end in .svg, .png or .pdf", option, path);
	return path;
}

unsigned kws_picture_colour(size_t i)
{
	static const unsigned colours[] = { 0x1f77b4, 0xd62728, 0x2ca02c, 0x9467bd, 0xff7f0e,
					    0x8c564b, 0xe377c2, 0x17becf, 0x7f8000, 0x5b6770 };
	return colours[i % (sizeof colours / sizeof colours[0])];
}

static cairo_status_t put(void *ctx, const unsigned char *bytes, unsigned n)
{
	const kws_picture *p = ctx;
	return fwrite(bytes, 1, n, p->svg ? p->svg : p->to) == n ? CAIRO_STATUS_SUCCESS
								 : CAIRO_STATUS_WRITE_ERROR;
}

static cairo_surface_t *surface_for(kws_picture *p, double width, double height)
{
	cairo_surface_t *s;
	if (p->kind == PNG)
		return cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)ceil(width),
						  (int)ceil(height));
	if (p->kind == PDF)
		return cairo_pdf_surface_create_for_stream(put, p, width, height);
	s = cairo_svg_surface_create_for_stream(put, p, width, height);
	cairo_svg_surface_set_document_unit(s, CAIRO_SVG_UNIT_PX);
	return s;
}

bool kws_picture_open(kws_picture *p, const char *path, double width, double height)
{
	*p = (kws_picture){ .path = path, .to = stdout, .kind = kind_of(path) };
	if (strcmp(path, "-") != 0) {
		if (!kws_replace_open(&p->file, path))
			return false;
		p->to = p->file.to;
	}
	if (p->kind == SVG) {
		p->svg = open_memstream(&p->svg_text, &p->n_svg);
		p->titles = open_memstream(&p->titles_text, &p->n_titles);
		p->no_memory = !p->svg || !p->titles;
	}
	p->surface = surface_for(p, width, height);
	p->cairo = cairo_create(p->surface);
	kws_picture_fill(p, 0, 0, width, height, (kws_ink){ .rgb = 0xffffff });
	return true;
}

static bool end_memory(FILE *f)
{
	return f && fclose(f) == 0;
}

/* Write the SVG with its titles before its end: above all that is drawn. */
static cairo_status_t write_svg(kws_picture *p, bool good)
{
	static const char end[] = "</svg>";
	size_t n = 0;
	bool whole = end_memory(p->svg);
	whole = end_memory(p->titles) && whole;
	p->svg = NULL;
	if (whole && good) {
		for (n = p->n_svg; n >= strlen(end); n--)
			if (memcmp(p->svg_text + n - strlen(end), end, strlen(end)) == 0)
				break;
		n = n >= strlen(end) ? n - strlen(end) : p->n_svg;
		fwrite(p->svg_text, 1, n, p->to);
		fwrite(p->titles_text, 1, p->n_titles, p->to);
		fwrite(p->svg_text + n, 1, p->n_svg - n, p->to);
	}
	free(p->svg_text);
	free(p->titles_text);
	return whole ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_NO_MEMORY;
}

bool kws_picture_close(kws_picture *p, bool good)
{
	cairo_status_t status = p->no_memory ? CAIRO_STATUS_NO_MEMORY : cairo_status(p->cairo);
	cairo_destroy(p->cairo);
	if (good && status == CAIRO_STATUS_SUCCESS && p->kind == PNG)
		status = cairo_surface_write_to_png_stream(p->surface, put, p);
	cairo_surface_finish(p->surface);
	if (status == CAIRO_STATUS_SUCCESS)
		status = cairo_surface_status(p->surface);
	cairo_surface_destroy(p->surface);
	if (p->kind == SVG && write_svg(p, status == CAIRO_STATUS_SUCCESS && good))
		status = CAIRO_STATUS_NO_MEMORY;
	/* Write errors are reported by the owner of the stream. */
	if (status != CAIRO_STATUS_SUCCESS && status != CAIRO_STATUS_WRITE_ERROR)
		kws_out_complain("%s: %s", p->path, cairo_status_to_string(status));
	good = good && status == CAIRO_STATUS_SUCCESS;
	return p->to == stdout ? good : kws_replace_finish(&p->file, good);
}

/* ---- drawing ---- */

static void dip(kws_picture *p, kws_ink ink)
{
	static const double dashes[] = { 6.0, 4.0 };
	cairo_set_source_rgba(p->cairo, (ink.rgb >> 16 & 255) / 255.0, (ink.rgb >> 8 & 255) / 255.0,
			      (ink.rgb & 255) / 255.0, ink.opacity > 0.0 ? ink.opacity : 1.0);
	cairo_set_line_width(p->cairo, ink.width > 0.0 ? ink.width : 1.0);
	cairo_set_dash(p->cairo, dashes, ink.dashed ? 2 : 0, 0.0);
	cairo_set_line_join(p->cairo, CAIRO_LINE_JOIN_ROUND);
}

static void trace(kws_picture *p, const kws_point *point, size_t n)
{
	for (size_t i = 0; i < n; i++)
		cairo_line_to(p->cairo, point[i].x, point[i].y);
}

void kws_picture_path(kws_picture *p, const kws_point *point, size_t n, kws_ink ink)
{
	dip(p, ink);
	trace(p, point, n);
	cairo_stroke(p->cairo);
}

void kws_picture_area(kws_picture *p, const kws_point *point, size_t n, kws_ink ink)
{
	dip(p, ink);
	trace(p, point, n);
	cairo_fill(p->cairo);
}

void kws_picture_line(kws_picture *p, double x0, double y0, double x1, double y1, kws_ink ink)
{
	const kws_point ends[] = { { x0, y0 }, { x1, y1 } };
	kws_picture_path(p, ends, 2, ink);
}

void kws_picture_rect(kws_picture *p, double x, double y, double w, double h, kws_ink ink)
{
	dip(p, ink);
	cairo_rectangle(p->cairo, x, y, w, h);
	cairo_stroke(p->cairo);
}

void kws_picture_fill(kws_picture *p, double x, double y, double w, double h, kws_ink ink)
{
	dip(p, ink);
	cairo_rectangle(p->cairo, x, y, w, h);
	cairo_fill(p->cairo);
}

void kws_picture_dot(kws_picture *p, double x, double y, double radius, kws_ink ink)
{
	dip(p, ink);
	cairo_arc(p->cairo, x, y, radius, 0.0, 2.0 * acos(-1.0));
	cairo_fill(p->cairo);
}

/* A text that can be drawn: without control characters, and as in JSON, bytes that are not UTF-8 as
 * U+FFFD. Free it with json_decref(). NULL: out of memory. */
__attribute__((format(printf, 2, 0))) static json_t *drawable(kws_picture *p, const char *format,
							      va_list more)
{
	char text[512];
	vsnprintf(text, sizeof text, format, more);
	for (char *c = text; *c; c++)
		*c = (unsigned char)*c < 0x20 || *c == 0x7f ? '?' : *c;
	json_t *good = kws_out_json_text(text);
	p->no_memory = p->no_memory || !good;
	return good;
}

static void choose_font(kws_picture *p, kws_type type)
{
	cairo_select_font_face(p->cairo, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
			       type.bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
	cairo_set_font_size(p->cairo, type.size > 0.0 ? type.size : 12.0);
}

static double width_of(kws_picture *p, kws_type type, const char *text)
{
	cairo_text_extents_t extents;
	choose_font(p, type);
	cairo_text_extents(p->cairo, text, &extents);
	return extents.x_advance;
}

double kws_picture_text_width(kws_picture *p, kws_type type, const char *text)
{
	json_t *good = kws_out_json_text(text);
	p->no_memory = p->no_memory || !good;
	const double width = width_of(p, type, good ? json_string_value(good) : "");
	json_decref(good);
	return width;
}

void kws_picture_text(kws_picture *p, double x, double y, kws_type type, const char *format, ...)
{
	va_list more;
	va_start(more, format);
	json_t *good = drawable(p, format, more);
	va_end(more);
	const char *shown = good ? json_string_value(good) : "";
	dip(p, (kws_ink){ .rgb = type.rgb });
	const double width = width_of(p, type, shown);
	cairo_save(p->cairo);
	cairo_translate(p->cairo, x, y);
	if (type.turned)
		cairo_rotate(p->cairo, -0.5 * acos(-1.0));
	cairo_move_to(p->cairo, -0.5 * (double)type.anchor * width, 0.0);
	cairo_show_text(p->cairo, shown);
	cairo_new_path(p->cairo);
	cairo_restore(p->cairo);
	json_decref(good);
}

static void put_escaped(FILE *to, const char *text)
{
	for (; *text; text++)
		switch (*text) {
		case '&': fputs("&amp;", to); break;
		case '<': fputs("&lt;", to); break;
		case '>': fputs("&gt;", to); break;
		default: putc(*text, to);
		}
}

void kws_picture_title(kws_picture *p, double x, double y, double w, double h, const char *format,
		       ...)
{
	va_list more;
	if (!p->titles)
		return;
	va_start(more, format);
	json_t *good = drawable(p, format, more);
	va_end(more);
	fprintf(p->titles,
		"<rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\" fill=\"none\" "
		"pointer-events=\"all\"><title>",
		x, y, w, h);
	put_escaped(p->titles, good ? json_string_value(good) : "");
	fputs("</title></rect>\n", p->titles);
	json_decref(good);
}

void kws_picture_image(kws_picture *p, double x, double y, double w, double h,
		       const unsigned *pixel, size_t columns, size_t rows)
{
	cairo_surface_t *s =
		cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)columns, (int)rows);
	unsigned char *to = cairo_image_surface_get_data(s);
	const size_t stride = to ? (size_t)cairo_image_surface_get_stride(s) : 0;
	cairo_surface_flush(s);
	for (size_t i = 0; to && i < rows; i++)
		memcpy(to + i * stride, pixel + i * columns, columns * sizeof *pixel);
	cairo_surface_mark_dirty(s);
	cairo_save(p->cairo);
	cairo_translate(p->cairo, x, y);
	cairo_scale(p->cairo, w / (double)columns, h / (double)rows);
	cairo_set_source_surface(p->cairo, s, 0.0, 0.0);
	/* For PNG, repeat the edge pixels beyond the edge. For SVG and PDF leave the image as it
	 * is: cairo 1.18 would write megabytes of repeated pixels. */
	if (cairo_surface_get_type(cairo_get_target(p->cairo)) == CAIRO_SURFACE_TYPE_IMAGE)
		cairo_pattern_set_extend(cairo_get_source(p->cairo), CAIRO_EXTEND_PAD);
	cairo_rectangle(p->cairo, 0.0, 0.0, (double)columns, (double)rows);
	cairo_fill(p->cairo);
	cairo_restore(p->cairo);
	cairo_surface_destroy(s);
}

/* ---- axes ---- */

/* The deviate of the standard normal distribution below which this share lies: the inverse of its
 * integral, by halving. */
static double deviate(double share)
{
	double lo = -8.0, hi = 8.0;
	for (int i = 0; i < 60; i++) {
		const double middle = 0.5 * (lo + hi);
		if (0.5 * erfc(-middle / sqrt(2.0)) < share)
			lo = middle;
		else
			hi = middle;
	}
	return 0.5 * (lo + hi);
}

static double scaled(enum kws_scale scale, double value)
{
	return scale == KWS_LOG ? log(value) : scale == KWS_DEVIATE ? deviate(value) : value;
}

double kws_axis_at(const kws_axis *a, double value)
{
	const double lo = scaled(a->scale, a->lo), hi = scaled(a->scale, a->hi);
	const double part = (scaled(a->scale, value) - lo) / (hi - lo);
	return a->from + fmin(fmax(part, 0.0), 1.0) * (a->to - a->from);
}

double kws_axis_step(double span, double most)
{
	double step = pow(10.0, floor(log10(span / most)));
	if (span / step > most)
		step *= span / (2.0 * step) <= most   ? 2.0
			: span / (5.0 * step) <= most ? 5.0
						      : 10.0;
	return step;
}
