#include "daemon/control_request.h"

#include "nearest.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* DEPTH, VALUES: the most nesting and the most values of a request. */
enum { DEPTH = 8, VALUES = 1024, KEYS = 8, PROTOCOL = 1 };

/* ---- answers ---- */

/* A text that was cut may end inside a UTF-8 character; then ? replaces all bytes that are not
 * ASCII. */
static json_t *text_of(const char *text)
{
	char plain[1024];
	json_t *v = json_string(text);

	if (v)
		return v;
	snprintf(plain, sizeof plain, "%s", text);
	for (char *at = plain; *at; at++)
		*at = (unsigned char)*at < 0x80 ? *at : '?';
	return json_string(plain);
}

static json_t *lines_of(const char *text)
{
	json_t *list = json_array();
	char line[1024];

	for (size_t n; *text; text += n + (text[n] == '\n')) {
		n = strcspn(text, "\n");
		snprintf(line, sizeof line, "%.*s", (int)n, text);
		kws_clean(line);
		if (*line)
			json_array_append_new(list, text_of(line));
	}
	return list;
}

/* Add the members of told to the answer, and free told. */
static size_t put_answer(kws_control *c, const char *asked, const char *id, const char *code,
			 const char *errors, json_t *told)
{
	static const char lacking[] =
		"{\"ok\":false,\"code\":\"failed\",\"error\":\"out of memory\"}\n";
	static const char long_one[] =
		"{\"ok\":false,\"code\":\"failed\",\"error\":\"the answer is too long\"}\n";
	json_t *o = json_object(), *lines = code ? lines_of(errors) : NULL;
	int bad = json_object_set_new(o, "ok", json_boolean(!code));
	size_t n = 0;

	if (asked)
		bad |= json_object_set_new(o, "request", json_string(asked));
	if (*id)
		bad |= json_object_set_new(o, "id", json_loads(id, JSON_DECODE_ANY, NULL));
	if (code) {
		const json_t *first = json_array_get(lines, 0);

		bad |= json_object_set_new(o, "code", json_string(code));
		bad |= json_object_set_new(
			o, "error", json_string(first ? json_string_value(first) : "unknown"));
		bad |= json_object_set(o, "errors", lines);
	}
	if (told)
		bad |= json_object_update(o, told);
	if (!bad)
		n = json_dumpb(o, c->answer, sizeof c->answer - 1,
			       JSON_COMPACT | JSON_REAL_PRECISION(9));
	json_decref(o);
	json_decref(lines);
	json_decref(told);
	if (n == 0 || n >= sizeof c->answer)
		return (size_t)snprintf(c->answer, sizeof c->answer, "%s", n ? long_one : lacking);
	c->answer[n] = '\n';
	return n + 1;
}

size_t kws_control_tell(kws_control *c, const char *asked, const char *id, const char *code,
			const char *errors)
{
	return put_answer(c, asked, id, code, errors, NULL);
}

/* ---- reading a request ---- */

enum kws_control_heard kws_request_wrong(kws_request *r, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(r->error, sizeof r->error, format, ap);
	va_end(ap);
	r->code = "request";
	r->errors = r->error;
	return KWS_HEARD_ANSWERED;
}

const char *kws_request_find(const kws_request *r, kws_names_fn *names, const char *want)
{
	const char *at;

	for (size_t i = 0; (at = names(r->c->ctx, i)); i++)
		if (!strcmp(at, want))
			return at;
	return NULL;
}

const char *kws_request_name(kws_request *r, const json_t *in, const char *key, kws_names_fn *names)
{
	const json_t *v = json_object_get(in, key);
	const char *found;

	if (!v)
		return "*";
	if (!json_is_string(v)) {
		kws_request_wrong(r, "%s: want a name", key);
		return NULL;
	}
	found = kws_request_find(r, names, json_string_value(v));
	if (!found) {
		kws_nearest near;

		kws_nearest_init(&near, json_string_value(v));
		for (size_t i = 0; names(r->c->ctx, i); i++)
			kws_nearest_offer(&near, names(r->c->ctx, i));
		kws_request_wrong(r, "%s: there is none named %.40s%s", key, json_string_value(v),
				  kws_nearest_hint(&near));
	}
	return found;
}

bool kws_request_knows(kws_request *r, const json_t *o, const char *where, const char *const *keys)
{
	kws_nearest near;

	for (void *at = json_object_iter((json_t *)(uintptr_t)o); at;
	     at = json_object_iter_next((json_t *)(uintptr_t)o, at)) {
		const char *key = json_object_iter_key(at);
		size_t k = 0;

		kws_nearest_init(&near, key);
		for (; keys[k] && strcmp(keys[k], key) != 0; k++)
			kws_nearest_offer(&near, keys[k]);
		if (!keys[k]
		    && (o != r->o || (strcmp(key, "request") != 0 && strcmp(key, "id") != 0))) {
			kws_request_wrong(r, "%s: no such key as %.60s%s", where, key,
					  kws_nearest_hint(&near));
			return false;
		}
	}
	return true;
}

/* ---- version and status ---- */

static enum kws_control_heard version(kws_request *r)
{
	json_object_set_new(r->told, "version", json_string(KWS_VERSION));
	json_object_set_new(r->told, "protocol", json_integer(PROTOCOL));
	return KWS_HEARD_ANSWERED;
}

static enum kws_control_heard status(kws_request *r)
{
	if (json_object_set_new(r->told, "status", r->c->ops->status(r->c->ctx)) == 0)
		return KWS_HEARD_ANSWERED;
	kws_request_wrong(r, "out of memory");
	r->code = "failed";
	return KWS_HEARD_ANSWERED;
}

/* ---- requests ---- */

static const struct {
	const char *name;
	kws_request_fn *fn;
	const char *keys[KEYS]; /* besides request and id */
} requests[] = {
	{ "status", status, { NULL } },
	{ "version", version, { NULL } },
	{ "subscribe",
	  kws_request_subscribe,
	  { "events", "near_misses", "scores", "levels", "mel", NULL } },
	{ "unsubscribe",
	  kws_request_unsubscribe,
	  { "events", "near_misses", "scores", "levels", "mel", NULL } },
	{ "set", kws_request_set, { "values", "keep", NULL } },
	{ "listen", kws_request_listen, { "on", "listener", "keep", NULL } },
	{ "reload", kws_request_reload, { NULL } },
};

enum { N_REQUESTS = sizeof requests / sizeof requests[0] };

static enum kws_control_heard choose(kws_request *r)
{
	const char *name = json_string_value(json_object_get(r->o, "request"));
	kws_nearest near;

	if (!name)
		return kws_request_wrong(r, "request: want the name of one");
	kws_nearest_init(&near, name);
	for (size_t i = 0; i < N_REQUESTS; i++) {
		kws_nearest_offer(&near, requests[i].name);
		if (strcmp(requests[i].name, name) != 0)
			continue;
		r->asked = requests[i].name;
		if (!kws_request_knows(r, r->o, name, requests[i].keys))
			return KWS_HEARD_ANSWERED;
		return requests[i].fn(r);
	}
	return kws_request_wrong(r, "request: there is none named %.40s%s", name,
				 kws_nearest_hint(&near));
}

static bool read_id(kws_request *r)
{
	const json_t *id = json_object_get(r->o, "id");
	const size_t size = sizeof r->id - 1;

	if (!id)
		return true;
	if ((json_is_string(id) && json_string_length(id) <= KWS_CONTROL_ID)
	    || json_is_integer(id)) {
		const size_t n = json_dumpb(id, r->id, size, JSON_ENCODE_ANY | JSON_COMPACT);

		r->id[n < size ? n : 0] = 0;
		return true;
	}
	kws_request_wrong(r, "id: want a whole number, or a text of at most %d bytes",
			  KWS_CONTROL_ID);
	return false;
}

/* Whether a line is small enough to be parsed as JSON: the number of values determines the
 * memory. */
static bool is_small(const char *line, size_t n)
{
	size_t depth = 0, values = 0;
	bool in_text = false;

	for (size_t i = 0; i < n && depth <= DEPTH && values <= VALUES; i++) {
		if (line[i] == '"')
			in_text = !in_text;
		else if (in_text && line[i] == '\\')
			i++;
		else if (!in_text && (line[i] == '[' || line[i] == '{'))
			depth++;
		else if (!in_text && (line[i] == ']' || line[i] == '}'))
			depth -= depth > 0;
		values += !in_text && (line[i] == ',' || line[i] == '[' || line[i] == '{');
	}
	return depth <= DEPTH && values <= VALUES;
}

enum kws_control_heard kws_control_hear(kws_control *c, kws_control_client *own, kws_peer peer,
					const char *line, size_t n, size_t *len)
{
	kws_request r = { .c = c, .own = own, .peer = peer, .told = json_object() };
	enum kws_control_heard heard;
	json_error_t e;
	json_t *o = NULL;

	if (!is_small(line, n))
		heard = kws_request_wrong(&r, "more than %d values, or deeper than %d", VALUES,
					  DEPTH);
	else if (!(o = json_loadb(line, n, JSON_REJECT_DUPLICATES, &e)))
		heard = kws_request_wrong(&r, "no JSON, at byte %d: %s", e.position, e.text);
	else if (!json_is_object(o))
		heard = kws_request_wrong(&r, "want an object");
	else {
		r.o = o;
		heard = read_id(&r) ? choose(&r) : KWS_HEARD_ANSWERED;
	}
	if (heard == KWS_HEARD_ANSWERED)
		*len = put_answer(c, r.asked, r.id, r.code, r.errors, r.told);
	else
		json_decref(r.told);
	json_decref(o);
	return heard;
}
