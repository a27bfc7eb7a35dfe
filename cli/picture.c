#include "cli/picture.h"

#include "cli/out.h"
#include "kws.h"

#include <math.h>
#include <png.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

const char *kws_picture_colour(size_t i)
{
	static const char *const colours[] = { "#1f77b4", "#d62728", "#2ca02c", "#9467bd",
					       "#ff7f0e", "#8c564b", "#e377c2", "#17becf",
					       "#7f8000", "#5b6770" };
	return colours[i % (sizeof colours / sizeof colours[0])];
}

bool kws_picture_open(kws_picture *p, const char *path, double width, double height)
{
	*p = (kws_picture){ .path = path, .to = stdout };
	if (strcmp(path, "-") != 0) {
		if (!kws_replace_open(&p->file, path))
			return false;
		p->to = p->file.to;
	}
	fprintf(p->to,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%g\" height=\"%g\" "
		"viewBox=\"0 0 %g %g\" font-family=\"sans-serif\" font-size=\"12\" fill=\"#222\">\n"
		"<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
		width, height, width, height);
	return true;
}

bool kws_picture_close(kws_picture *p, bool good)
{
	fputs("</svg>\n", p->to);
	/* Standard output is looked after at the end of the program. */
	return p->to == stdout ? good : kws_replace_finish(&p->file, good);
}

/* XML allows few control characters, and wants these three in another way. */
static void put_escaped(FILE *to, const char *text)
{
	for (const unsigned char *c = (const unsigned char *)text; *c; c++)
		switch (*c) {
		case '&': fputs("&amp;", to); break;
		case '<': fputs("&lt;", to); break;
		case '>': fputs("&gt;", to); break;
		default: putc(*c < 0x20 || *c == 0x7f ? '?' : *c, to);
		}
}

void kws_picture_text(kws_picture *p, double x, double y, const char *anchor, const char *style,
		      const char *format, ...)
{
	char text[512];
	va_list more;
	va_start(more, format);
	vsnprintf(text, sizeof text, format, more);
	va_end(more);
	/* As in JSON: bytes that are no UTF-8 become U+FFFD, for no reader takes them. */
	json_t *good = kws_out_json_text(text);
	fprintf(p->to, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" %s>", x, y, anchor, style);
	put_escaped(p->to, good ? json_string_value(good) : "");
	fputs("</text>\n", p->to);
	json_decref(good);
}

void kws_picture_line(kws_picture *p, double x0, double y0, double x1, double y1, const char *style)
{
	fprintf(p->to, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" %s/>\n", x0, y0, x1,
		y1, style);
}

void kws_picture_rect(kws_picture *p, double x, double y, double w, double h, const char *style)
{
	fprintf(p->to, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" %s/>\n", x, y, w,
		h, style);
}

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

/* ---- an image in it ---- */

static void put_base64(FILE *to, const unsigned char *bytes, size_t n)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	for (size_t i = 0; i < n; i += 3) {
		unsigned long v = (unsigned long)bytes[i] << 16;
		v |= i + 1 < n ? (unsigned long)bytes[i + 1] << 8 : 0;
		v |= i + 2 < n ? bytes[i + 2] : 0;
		putc(letters[v >> 18 & 63], to);
		putc(letters[v >> 12 & 63], to);
		putc(i + 1 < n ? letters[v >> 6 & 63] : '=', to);
		putc(i + 2 < n ? letters[v & 63] : '=', to);
	}
}

bool kws_picture_image(kws_picture *p, double x, double y, double w, double h,
		       const unsigned char *rgb, size_t columns, size_t rows)
{
	png_image image = { .version = PNG_IMAGE_VERSION, .format = PNG_FORMAT_RGB };
	png_alloc_size_t size = 0;
	image.width = (png_uint_32)columns;
	image.height = (png_uint_32)rows;
	unsigned char *png = NULL;
	bool good = png_image_write_to_memory(&image, NULL, &size, 0, rgb, 0, NULL) != 0;
	if (good)
		png = malloc(size);
	good = png && png_image_write_to_memory(&image, png, &size, 0, rgb, 0, NULL) != 0;
	if (good) {
		fprintf(p->to,
			"<image x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
			"preserveAspectRatio=\"none\" href=\"data:image/png;base64,",
			x, y, w, h);
		put_base64(p->to, png, size);
		fputs("\"/>\n", p->to);
	} else {
		kws_out_complain("%s: %s", p->path,
				 *image.message ? image.message : kws_strerror(KWS_ERR_NOMEM));
	}
	free(png);
	return good;
}
