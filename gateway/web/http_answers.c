/* The answers to all requests but the stream. */
#include "gateway/web/clip.h"
#include "gateway/web/http_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char type_json[] = "application/json; charset=utf-8";

/* ---- what is there ---- */

enum MHD_Result kws_http_page(kws_http_request *r, const char *path)
{
	struct MHD_Response *response;
	const char *page;
	size_t n;

	(void)path;
	page = kws_page(&n);
	response =
		MHD_create_response_from_buffer(n, (void *)(uintptr_t)page, MHD_RESPMEM_PERSISTENT);
	if (response)
		MHD_add_response_header(response, "Content-Security-Policy", r->http->policy);
	return kws_http_send(r, 200, "text/html; charset=utf-8", response);
}

enum MHD_Result kws_http_clip(kws_http_request *r, const char *path)
{
	struct MHD_Response *response;
	off_t size = 0;
	int fd = -1;

	errno = ENOENT;
	if (r->http->conf.clips)
		fd = kws_clip_open(r->http->conf.clips, path, &size);
	if (fd < 0)
		return kws_http_refuse(r, errno == EACCES ? 403 : 404,
				       !r->http->conf.clips ? "[web] clips is off: no sound leaves"
				       : errno == EACCES    ? "kwsd-web may not read the clips"
							    : "there is no such clip");
	response = MHD_create_response_from_fd64((uint64_t)size, fd); /* closes it */
	return kws_http_send(r, 200, "audio/wav", response);
}

/* ---- what kwsd says ---- */

enum MHD_Result kws_http_status(kws_http_request *r, const char *path)
{
	char *text;

	(void)path;
	if (!r->answered && !kws_feed_want_status(r->http->feed)) {
		kws_http_wait(r);
		return MHD_YES;
	}
	if (!kws_feed_status(r->http->feed))
		return kws_http_refuse(r, 503, "kwsd does not answer");
	text = json_dumps(kws_feed_status(r->http->feed), JSON_COMPACT | JSON_REAL_PRECISION(9));
	return kws_http_text(r, 200, type_json, text, text ? strlen(text) : 0);
}

enum MHD_Result kws_http_metrics(kws_http_request *r, const char *path)
{
	kws_metrics_own own;
	size_t n = 0;
	char *text;

	(void)path;
	if (!r->answered && !kws_feed_want_status(r->http->feed)) {
		kws_http_wait(r);
		return MHD_YES;
	}
	kws_http_counts(r->http, &own);
	text = kws_metrics_text(kws_feed_status(r->http->feed), &own, &n);
	return kws_http_text(r, 200, "text/plain; version=0.0.4; charset=utf-8", text, n);
}

/* ---- changes ---- */

static void on_answer(void *ctx, const json_t *answer)
{
	kws_http_ticket *ticket = ctx;
	kws_http_request *r = ticket->by;

	free(ticket);
	if (!r)
		return;
	r->ticket = NULL;
	r->answer = json_deep_copy(answer);
	if (json_is_true(json_object_get(answer, "ok")))
		kws_feed_refresh(r->http->feed);
	kws_http_resume(r);
}

/* The daemon's answer, with a status that fits it. */
static enum MHD_Result pass_on(kws_http_request *r)
{
	const char *code = json_string_value(json_object_get(r->answer, "code"));
	char *text;

	if (!r->answer)
		return kws_http_refuse(r, 503, "kwsd does not answer");
	json_object_del(r->answer, "id");
	text = json_dumps(r->answer, JSON_COMPACT);
	return kws_http_text(r,
			     !code || !strcmp(code, "in part") ? 200
			     : !strcmp(code, "request")	       ? 400
			     : !strcmp(code, "refused")	       ? 409
							       : 503,
			     type_json, text, text ? strlen(text) : 0);
}

/* The members of the body, all of which MUST be among keys; NULL: they are not. */
static json_t *read_body(const kws_http_request *r, const char *const *keys)
{
	json_t *o = json_loadb(r->body, r->n, JSON_REJECT_DUPLICATES, NULL), *v;
	const char *key;

	if (!json_is_object(o)) {
		json_decref(o);
		return NULL;
	}
	json_object_foreach(o, key, v)
	{
		size_t i = 0;

		while (keys[i] && strcmp(keys[i], key) != 0)
			i++;
		if (!keys[i]) {
			json_decref(o);
			return NULL;
		}
	}
	return o;
}

/* Send the body as this request to kwsd, which checks the values. */
static enum MHD_Result change(kws_http_request *r, const char *name, const char *const *keys)
{
	json_t *o;

	if (r->answered)
		return pass_on(r);
	if (r->large)
		return kws_http_refuse(r, 413, "the body is too long");
	o = read_body(r, keys);
	if (!o)
		return kws_http_refuse(r, 400, "the body is not the JSON that this takes");
	json_object_set_new(o, "request", json_string(name));
	kws_http_ticket *ticket = calloc(1, sizeof *ticket);
	if (!ticket || !kws_feed_request(r->http->feed, o, on_answer, ticket)) {
		free(ticket);
		return kws_http_refuse(r, 503, "kwsd does not answer");
	}
	ticket->by = r;
	r->ticket = ticket;
	kws_http_wait(r);
	return MHD_YES;
}

enum MHD_Result kws_http_set(kws_http_request *r, const char *path)
{
	static const char *const keys[] = { "values", "keep", NULL };

	(void)path;
	return change(r, "set", keys);
}

enum MHD_Result kws_http_listen(kws_http_request *r, const char *path)
{
	static const char *const keys[] = { "on", "listener", "keep", NULL };

	(void)path;
	return change(r, "listen", keys);
}

/* ---- routes ---- */

static const kws_http_route routes[] = {
	{ "GET", "/", kws_http_page },		{ "GET", "/events", kws_http_events },
	{ "GET", "/status", kws_http_status },	{ "GET", "/metrics", kws_http_metrics },
	{ "GET", "/clips/", kws_http_clip },	{ "POST", "/set", kws_http_set },
	{ "POST", "/listen", kws_http_listen },
};

const kws_http_route *kws_http_find(const char *path, const char **rest)
{
	for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
		const size_t n = strlen(routes[i].path);
		const bool folder = n > 1 && routes[i].path[n - 1] == '/';

		*rest = path + n;
		if (!strncmp(path, routes[i].path, n) && (folder || !path[n]))
			return &routes[i];
	}
	return NULL;
}
