#include "daemon/control_request.h"

#include "conf/kinds.h"
#include "runtime/log.h"

#include <stdio.h>
#include <string.h>

/* The most assignments of one request, and the most bytes of each. */
enum { SET = 64, TEXT = 256 };

static bool is_printable(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	return true;
}

/* Write "key=value". */
static bool assignment(kws_request *r, const char *key, const json_t *v, char text[TEXT])
{
	char value[TEXT] = "";

	if (json_is_integer(v))
		snprintf(value, sizeof value, "%lld", (long long)json_integer_value(v));
	else if (json_is_real(v))
		kws_conf_write_real((float)json_real_value(v), value, sizeof value);
	else if (json_is_boolean(v))
		snprintf(value, sizeof value, "%s", json_is_true(v) ? "yes" : "no");
	else if (json_is_string(v))
		snprintf(value, sizeof value, "%s", json_string_value(v));
	else {
		kws_request_wrong(r, "%.80s: want a number, a text, true or false", key);
		return false;
	}
	if (strchr(key, '=') || !is_printable(key) || !is_printable(value)
	    || (json_is_string(v) && json_string_length(v) >= sizeof value)
	    || snprintf(text, TEXT, "%s=%s", key, value) >= TEXT) {
		kws_request_wrong(r, "%.80s: no line of a file could say this", key);
		return false;
	}
	return true;
}

static void log_who(const kws_request *r, const char *what)
{
	kws_log(KWS_LOG_INFO, "control: %s, by process %ld of user %ld", what, (long)r->peer.pid,
		(long)r->peer.uid);
}

static enum kws_control_heard answered(kws_request *r, enum kws_control_result result)
{
	r->code = kws_control_code(result);
	r->errors = r->c->errors;
	return KWS_HEARD_ANSWERED;
}

static enum kws_control_heard apply(kws_request *r, char (*set)[TEXT], size_t n)
{
	const json_t *keep = json_object_get(r->o, "keep");
	const char *list[SET];

	if (keep && !json_is_boolean(keep))
		return kws_request_wrong(r, "keep: want true or false");
	for (size_t i = 0; i < n; i++)
		list[i] = set[i];
	r->c->errors[0] = 0;
	const enum kws_control_result result =
		r->c->ops->set(r->c->ctx, list, n, json_is_true(keep), r->c->errors);
	if (result == KWS_CONTROL_BUSY)
		return KWS_HEARD_BUSY;
	for (size_t i = 0; result != KWS_CONTROL_REFUSED && i < n; i++)
		log_who(r, set[i]);
	return answered(r, result);
}

enum kws_control_heard kws_request_set(kws_request *r)
{
	json_t *values = json_object_get(r->o, "values");
	char text[SET][TEXT];
	size_t n = 0;

	if (!json_is_object(values) || !json_object_size(values))
		return kws_request_wrong(r, "values: want an object of keys and their values");
	if (json_object_size(values) > SET)
		return kws_request_wrong(r, "values: more than %d", SET);
	for (void *at = json_object_iter(values); at; at = json_object_iter_next(values, at))
		if (!assignment(r, json_object_iter_key(at), json_object_iter_value(at), text[n++]))
			return KWS_HEARD_ANSWERED;
	return apply(r, text, n);
}

enum kws_control_heard kws_request_listen(kws_request *r)
{
	const json_t *on = json_object_get(r->o, "on");
	const char *which = kws_request_name(r, r->o, "listener", r->c->ops->listener), *name;
	char text[KWS_CONF_AUDIOS][TEXT];
	size_t n = 0;

	if (!which)
		return KWS_HEARD_ANSWERED;
	if (!json_is_boolean(on))
		return kws_request_wrong(r, "on: want true or false");
	for (size_t i = 0; n < KWS_CONF_AUDIOS && (name = r->c->ops->listener(r->c->ctx, i)); i++)
		if (*which == '*' || !strcmp(which, name))
			snprintf(text[n++], TEXT, "audio%s%s.enabled=%s", *name ? " " : "", name,
				 json_is_true(on) ? "yes" : "no");
	return apply(r, text, n);
}

enum kws_control_heard kws_request_reload(kws_request *r)
{
	r->c->errors[0] = 0;
	const enum kws_control_result result = r->c->ops->reload(r->c->ctx, r->c->errors);

	if (result == KWS_CONTROL_BUSY)
		return KWS_HEARD_BUSY;
	if (result != KWS_CONTROL_LATER)
		return answered(r, result);
	log_who(r, "reload");
	r->own->asked = r->asked;
	snprintf(r->own->id, sizeof r->own->id, "%s", r->id);
	return KWS_HEARD_LATER;
}
