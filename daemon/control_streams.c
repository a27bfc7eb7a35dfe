#include "daemon/control_request.h"

#include <stdio.h>

static bool read_rate(kws_request *r, const json_t *in, enum kws_stream stream, double *rate_hz)
{
	const bool counted = stream == KWS_STREAM_EVENTS || stream == KWS_STREAM_NEAR_MISSES;
	const double least = counted ? 0.001 : 1.0;
	const json_t *v = json_object_get(in, "rate_hz");

	*rate_hz = counted ? 0.0 : 10.0;
	if (!v)
		return true;
	*rate_hz = json_number_value(v);
	if (json_is_number(v) && *rate_hz >= least && *rate_hz <= 100.0)
		return true;
	kws_request_wrong(r, "%s: rate_hz: want a number in %g..100", kws_stream_names[stream],
			  least);
	return false;
}

static bool read_subscription(kws_request *r, const json_t *v, enum kws_stream stream,
			      kws_subscription *s)
{
	static const char *const keys[] = { "rate_hz", "listener", "spotter", NULL };
	const char *listener, *spotter;

	*s = (kws_subscription){ .on = !json_is_false(v) && !json_is_null(v) };
	if (!json_is_object(v) && !json_is_boolean(v) && !json_is_null(v)) {
		kws_request_wrong(r, "%s: want true, false or an object", kws_stream_names[stream]);
		return false;
	}
	if (json_is_object(v) && !kws_request_knows(r, v, kws_stream_names[stream], keys))
		return false;
	if (!(listener = kws_request_name(r, v, "listener", r->c->ops->listener))
	    || !(spotter = kws_request_name(r, v, "spotter", r->c->ops->spotter)))
		return false;
	snprintf(s->listener, sizeof s->listener, "%s", listener);
	snprintf(s->spotter, sizeof s->spotter, "%s", spotter);
	return read_rate(r, v, stream, &s->rate_hz);
}

/* Answer with all subscribed streams. */
static enum kws_control_heard tell_streams(kws_request *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < KWS_STREAMS; i++)
		if (r->own->to[i].on)
			json_array_append_new(list, json_string(kws_stream_names[i]));
	json_object_set_new(r->told, "streams", list);
	return KWS_HEARD_ANSWERED;
}

/* If one subscription is wrong, none changes. */
enum kws_control_heard kws_request_subscribe(kws_request *r)
{
	kws_subscription s[KWS_STREAMS];
	bool given[KWS_STREAMS], any = false;

	for (size_t i = 0; i < KWS_STREAMS; i++) {
		const json_t *v = json_object_get(r->o, kws_stream_names[i]);

		given[i] = v != NULL;
		any |= given[i];
		if (v && !read_subscription(r, v, (enum kws_stream)i, &s[i]))
			return KWS_HEARD_ANSWERED;
	}
	if (!any)
		return kws_request_wrong(
			r, "subscribe: to what? events, near_misses, scores, levels or mel");
	for (size_t i = 0; i < KWS_STREAMS; i++)
		if (given[i])
			kws_control_subscribe(r->c, r->own, (enum kws_stream)i, &s[i]);
	return tell_streams(r);
}

enum kws_control_heard kws_request_unsubscribe(kws_request *r)
{
	static const kws_subscription none;
	bool all = true;

	for (size_t i = 0; i < KWS_STREAMS; i++) {
		const json_t *v = json_object_get(r->o, kws_stream_names[i]);

		all &= !v;
		if (v && !json_is_true(v))
			return kws_request_wrong(r, "%s: want true", kws_stream_names[i]);
	}
	for (size_t i = 0; i < KWS_STREAMS; i++)
		if (all || json_object_get(r->o, kws_stream_names[i]))
			kws_control_subscribe(r->c, r->own, (enum kws_stream)i, &none);
	return tell_streams(r);
}
