#include "cli/picture.h"

#include "cli/out.h"

#include <cairo-pdf.h>
#include <cairo-svg.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
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
	return fwrite(bytes, 1, n, p->to) == n ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
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
	p->surface = surface_for(p, width, height);
	p->cairo = cairo_create(p->surface);
	kws_picture_fill(p, 0, 0, width, height, (kws_ink){ .rgb = 0xffffff });
	return true;
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

void kws_picture_text(kws_picture *p, double x, double y, kws_type type, const char *format, ...)
{
	char text[512];
	cairo_text_extents_t extents;
	va_list more;
	va_start(more, format);
	vsnprintf(text, sizeof text, format, more);
	va_end(more);
	for (char *c = text; *c; c++)
		*c = (unsigned char)*c < 0x20 || *c == 0x7f ? '?' : *c;
	/* As in JSON, bytes that are not UTF-8 become U+FFFD; cairo does not accept them. */
	json_t *good = kws_out_json_text(text);
	const char *shown = good ? json_string_value(good) : "";
	p->no_memory = p->no_memory || !good;
	dip(p, (kws_ink){ .rgb = type.rgb });
	cairo_select_font_face(p->cairo, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
			       type.bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
	cairo_set_font_size(p->cairo, type.size > 0.0 ? type.size : 12.0);
	cairo_text_extents(p->cairo, shown, &extents);
	cairo_save(p->cairo);
	cairo_translate(p->cairo, x, y);
	if (type.turned)
		cairo_rotate(p->cairo, -0.5 * acos(-1.0));
	cairo_move_to(p->cairo, -0.5 * (double)type.anchor * extents.x_advance, 0.0);
	cairo_show_text(p->cairo, shown);
	cairo_new_path(p->cairo);
	cairo_restore(p->cairo);
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

double kws_axis_at(const kws_axis *a, double value)
{
	double part = a->log ? log(value / a->lo) / log(a->hi / a->lo)
			     : (value - a->lo) / (a->hi - a->lo);
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
