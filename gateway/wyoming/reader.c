#include "gateway/wyoming/reader.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 512 };

void kws_reader_free(kws_reader *r)
{
	json_decref(r->data);
	free(r->text);
	memset(r, 0, sizeof *r);
}

static enum kws_read bad(kws_reader *r)
{
	r->failed = true;
	return KWS_READ_BAD;
}

/* Add text (n,). False: out of memory. Together it is at most one header or one event's data. */
static bool keep(kws_reader *r, const char *text, size_t n)
{
	size_t room = r->room ? r->room : FIRST_ROOM;
	char *more;

	while (room < r->n + n)
		room *= 2;
	if (room != r->room) {
		more = realloc(r->text, room);
		if (!more)
			return false;
		r->text = more;
		r->room = room;
	}
	memcpy(r->text + r->n, text, n);
	r->n += n;
	return true;
}

/* What is kept has been read. A large event leaves no large buffer behind. */
static void forget(kws_reader *r)
{
	r->n = 0;
	if (r->room <= FIRST_ROOM)
		return;
	free(r->text);
	r->text = NULL;
	r->room = 0;
}

/* A length in the header; none or null: 0. */
static bool take_length(const json_t *header, const char *key, size_t most, size_t *out,
			kws_error *err)
{
	const json_t *v = json_object_get(header, key);

	*out = 0;
	if (!v || json_is_null(v))
		return true;
	if (!json_is_integer(v)) {
		kws_fail(err, KWS_ERR_FORMAT, "%s is no whole number", key);
		return false;
	}
	if (json_integer_value(v) < 0 || json_integer_value(v) > (json_int_t)most) {
		kws_fail(err, KWS_ERR_FORMAT, "%s: %" JSON_INTEGER_FORMAT " is not in 0..%zu", key,
			 json_integer_value(v), most);
		return false;
	}
	*out = (size_t)json_integer_value(v);
	return true;
}

/* The object in text (n,); NULL: err has the reason. null is taken for an empty one. */
static json_t *object_of(const char *what, const char *text, size_t n, kws_error *err)
{
	json_error_t why;
	json_t *o = json_loadb(text, n, JSON_DECODE_ANY, &why);

	if (json_is_null(o)) {
		json_decref(o);
		o = json_object();
	}
	if (!o) {
		/* the library's text may hold bytes of the client */
		kws_fail(err, KWS_ERR_FORMAT, "the %s is no JSON, at byte %d", what, why.position);
	} else if (!json_is_object(o)) {
		kws_fail(err, KWS_ERR_FORMAT, "the %s is no JSON object", what);
		json_decref(o);
		o = NULL;
	}
	return o;
}

/* Keep the type and the inline data of a header. */
static bool take_parts(kws_reader *r, const json_t *header, kws_error *err)
{
	json_t *type = json_object_get(header, "type"), *data = json_object_get(header, "data");

	if (!json_is_string(type)) {
		kws_fail(err, KWS_ERR_FORMAT, "the header has no type");
		return false;
	}
	if (data && !json_is_object(data) && !json_is_null(data)) {
		kws_fail(err, KWS_ERR_FORMAT, "the data in the header are no JSON object");
		return false;
	}
	/* a type that is too long is none that is known, and stays so when it is cut */
	snprintf(r->type, sizeof r->type, "%s", json_string_value(type));
	r->data = json_is_object(data) ? json_incref(data) : json_object();
	if (!r->data)
		kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	return r->data != NULL;
}

static bool take_header(kws_reader *r, kws_error *err)
{
	json_t *header = object_of("header", r->text, r->n, err);
	bool done;

	forget(r);
	json_decref(r->data);
	r->data = NULL;
	if (!header)
		return false;
	done = take_parts(r, header, err)
	       && take_length(header, "data_length", KWS_READER_DATA, &r->data_left, err)
	       && take_length(header, "payload_length", KWS_READER_PAYLOAD, &r->payload_left, err);
	json_decref(header);
	return done;
}

/* The data override what the header has. */
static bool take_data(kws_reader *r, kws_error *err)
{
	json_t *data = object_of("data", r->text, r->n, err);
	bool done;

	forget(r);
	if (!data)
		return false;
	done = json_object_update(r->data, data) == 0;
	json_decref(data);
	if (!done)
		kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	return done;
}

static bool is_blank(const kws_reader *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (!strchr(" \t\r\n", r->text[i]) || !r->text[i])
			return false;
	return true;
}

/* Read bytes of a header. *whole: it is complete. */
static bool read_header(kws_reader *r, const char *bytes, size_t n, size_t *used, bool *whole,
			kws_error *err)
{
	const char *end = memchr(bytes, '\n', n);
	const size_t k = end ? (size_t)(end - bytes) + 1 : n;

	*whole = false;
	*used += k;
	if (k > KWS_READER_HEADER - r->n) {
		kws_fail(err, KWS_ERR_FORMAT, "the header is longer than %d bytes",
			 KWS_READER_HEADER);
		return false;
	}
	if (!keep(r, bytes, k)) {
		kws_fail(err, KWS_ERR_NOMEM, "out of memory");
		return false;
	}
	if (!end)
		return true;
	if (is_blank(r)) {
		forget(r);
		return true;
	}
	*whole = true;
	return take_header(r, err);
}

/* Read bytes of the data. *whole: they are complete. */
static bool read_data(kws_reader *r, const char *bytes, size_t n, size_t *used, bool *whole,
		      kws_error *err)
{
	const size_t k = n < r->data_left ? n : r->data_left;

	*used += k;
	if (!keep(r, bytes, k)) {
		kws_fail(err, KWS_ERR_NOMEM, "out of memory");
		return false;
	}
	r->data_left -= k;
	*whole = !r->data_left;
	return !*whole || take_data(r, err);
}

enum kws_read kws_reader_next(kws_reader *r, const char *bytes, size_t n, size_t *used,
			      const char **part, size_t *n_part, kws_error *err)
{
	bool whole;

	*used = *n_part = 0;
	*part = NULL;
	if (r->failed) {
		kws_fail(err, KWS_ERR_FORMAT, "what came before could not be read");
		return KWS_READ_BAD;
	}
	while (*used < n) {
		const char *at = bytes + *used;
		const size_t left = n - *used;

		if (r->data_left) {
			if (!read_data(r, at, left, used, &whole, err))
				return bad(r);
			if (whole)
				return KWS_READ_EVENT;
		} else if (r->payload_left) {
			*part = at;
			*n_part = left < r->payload_left ? left : r->payload_left;
			*used += *n_part;
			r->payload_left -= *n_part;
			return KWS_READ_PAYLOAD;
		} else {
			if (!read_header(r, at, left, used, &whole, err))
				return bad(r);
			if (whole && !r->data_left)
				return KWS_READ_EVENT;
		}
	}
	return KWS_READ_MORE;
}
