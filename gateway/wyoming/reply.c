#include "gateway/wyoming/reply.h"

#include <stdlib.h>
#include <string.h>

/* The version of the protocol's library whose events these are; 1.10.2 makes the same. */
#define PROTOCOL "1.9.0"

enum { FIRST_ROOM = 512 };

/* ---- bytes that wait ---- */

void kws_out_free(kws_out *o)
{
	free(o->bytes);
	memset(o, 0, sizeof *o);
}

void kws_out_put(kws_out *o, const char *bytes, size_t n)
{
	size_t room = o->room ? o->room : FIRST_ROOM;
	char *more;

	while (room < o->first + o->n + n)
		room *= 2;
	if (room != o->room) {
		more = realloc(o->bytes, room);
		if (!more) {
			o->lost = true;
			return;
		}
		o->bytes = more;
		o->room = room;
	}
	memcpy(o->bytes + o->first + o->n, bytes, n);
	o->n += n;
}

void kws_out_sent(kws_out *o, size_t n)
{
	o->first += n;
	o->n -= n;
	if (o->n)
		return;
	o->first = 0;
	if (o->room > FIRST_ROOM && !o->lost)
		kws_out_free(o);
}

/* ---- events ---- */

void kws_reply(kws_out *o, const char *type, json_t *data)
{
	char *text = data ? json_dumps(data, 0) : NULL;
	const size_t n = text ? strlen(text) : 0;
	char header[160];

	o->lost |= data && !text;
	if (data)
		snprintf(header, sizeof header,
			 "{\"type\": \"%s\", \"version\": \"" PROTOCOL
			 "\", \"data_length\": %zu}\n",
			 type, n);
	else
		snprintf(header, sizeof header,
			 "{\"type\": \"%s\", \"version\": \"" PROTOCOL "\"}\n", type);
	kws_out_put(o, header, strlen(header));
	kws_out_put(o, text ? text : "", n);
	free(text);
	json_decref(data);
}

/* The library sends no data where there are none. */
static json_t *with_context(json_t *data, json_t *context)
{
	if (context)
		json_object_set(data, "context", context);
	return data;
}

void kws_reply_detection(kws_out *o, const char *name, int64_t ms, json_t *context)
{
	kws_reply(o, "detection",
		  with_context(json_pack("{s:s, s:I, s:n}", "name", name, "timestamp",
					 (json_int_t)ms, "speaker"),
			       context));
}

void kws_reply_not_detected(kws_out *o, json_t *context)
{
	kws_reply(o, "not-detected", context ? json_pack("{s:O}", "context", context) : NULL);
}

void kws_reply_pong(kws_out *o, json_t *text)
{
	kws_reply(o, "pong", json_pack("{s:O?}", "text", text));
}

void kws_reply_error(kws_out *o, const char *text, const char *code)
{
	kws_reply(o, "error", json_pack("{s:s, s:s}", "text", text, "code", code));
}

/* ---- info ---- */

static json_t *attribution(const kws_reply_program *p)
{
	return json_pack("{s:s, s:s}", "name", p->author, "url", p->url);
}

static json_t *list_of(const char *languages)
{
	json_t *list = json_array();

	for (const char *at = languages; *at;) {
		const size_t n = strcspn(at, " ,");

		if (n)
			json_array_append_new(list, json_stringn(at, n));
		at += n + (at[n] != 0);
	}
	return list;
}

static json_t *model_of(const kws_reply_program *p, const kws_reply_word *w)
{
	return json_pack("{s:s, s:o, s:b, s:s, s:s, s:o, s:s}", "name", w->name, "attribution",
			 attribution(p), "installed", 1, "description", w->phrase, "version",
			 w->version, "languages", list_of(p->languages), "phrase", w->phrase);
}

void kws_reply_info(kws_out *o, const kws_reply_program *p, const kws_reply_word *words, size_t n)
{
	json_t *models = json_array(), *program;

	for (size_t i = 0; i < n; i++)
		json_array_append_new(models, model_of(p, &words[i]));
	program = json_pack("{s:s, s:o, s:b, s:s?, s:s, s:o}", "name", p->name, "attribution",
			    attribution(p), "installed", 1, "description", p->description,
			    "version", p->version, "models", models);
	kws_reply(o, "info",
		  json_pack("{s:[], s:[], s:[], s:[], s:[o], s:[], s:[]}", "asr", "tts", "handle",
			    "intent", "wake", program, "mic", "snd"));
}
