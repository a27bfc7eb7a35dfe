/* Reload: a thread builds the new configuration while the daemon runs; it is swapped in between two
 * hops. */
#include "runtime/clock.h"
#include "runtime/log.h"
#include "runtime/pages.h"
#include "daemon/service_parts.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { RETIRE_MS = 10000 };

/* ---- the thread ---- */

static void say(void *ctx, const char *text)
{
	kws_service *s = ctx;

	kws_log(KWS_LOG_ERROR, "%s", text);
	kws_service_note(s->errors, text);
}

static void *build(void *arg)
{
	kws_service *s = arg;
	const uint64_t one = 1;
	kws_error err = { "" };

	if (!kws_setup_read(&s->next, s->src, say, s)
	    && kws_setup_build(&s->next, &s->now, &err) != KWS_OK)
		say(s, err.text);
	s->refused = *s->errors;
	while (write(s->built, &one, sizeof one) < 0 && errno == EINTR)
		continue;
	return NULL;
}

static enum kws_control_result begin(kws_service *s)
{
	int failed;

	s->errors[0] = 0;
	kws_notify_reloading(&s->notify, kws_clock_mono());
	failed = kws_clock_start(&s->builder, NULL, build, s);
	s->building = !failed;
	if (!failed)
		return KWS_CONTROL_LATER;
	snprintf(s->errors, sizeof s->errors, KWS_NO_THREAD, strerror(failed));
	kws_log(KWS_LOG_ERROR, "reload refused: %s", s->errors);
	s->reloads++;
	kws_notify_reloaded(&s->notify);
	return KWS_CONTROL_REFUSED;
}

enum kws_control_result kws_service_reload(kws_service *s)
{
	if (!s->building)
		return begin(s);
	s->again = true;
	return KWS_CONTROL_BUSY;
}

/* ---- the swap ---- */

/* "the model commands-12 0123456789ab", or several. */
static void say_models(const kws_models *m, char *out, size_t n)
{
	size_t at = 0;

	for (size_t i = 0; i < m->n && at < n; i++) {
		const kws_model *model = kws_shared_model_get(m->model[i]);

		at += (size_t)snprintf(out + at, n - at, "%s%s %.12s", i ? ", " : "",
				       kws_model_name(model), kws_model_hash(model));
	}
}

static bool same_models(const kws_models *a, const kws_models *b)
{
	return a->n == b->n && !memcmp(a->model, b->model, a->n * sizeof a->model[0]);
}

static bool swap(kws_service *s)
{
	const bool same = same_models(&s->next.models, &s->now.models);
	kws_listener *gone[KWS_CONF_AUDIOS];
	char models[KWS_LOG_LINE] = "";
	bool all = kws_setup_swap(&s->next, &s->now, &s->observer, gone, RETIRE_MS);

	kws_service_watch(s);
	for (size_t i = 0; i < KWS_CONF_AUDIOS && gone[i]; i++)
		kws_listener_retire(gone[i]);
	kws_service_heed(s);
	say_models(&s->now.models, models, sizeof models);
	kws_log(KWS_LOG_INFO, "reloaded%s: %s; model %s", all ? "" : " in part",
		same ? "configuration" : "configuration and model", models);
	if (!all)
		snprintf(s->errors, sizeof s->errors,
			 "taken in part: the log says what could not be opened");
	return all;
}

void kws_service_reload_ready(void *ctx, unsigned events)
{
	kws_service *s = ctx;
	bool taken = false;
	uint64_t n;

	(void)events;
	if (read(s->built, &n, sizeof n) < 0)
		return;
	pthread_join(s->builder, NULL);
	s->building = false;
	if (s->refused)
		kws_log(KWS_LOG_ERROR, "reload refused: the old configuration and model stay");
	else
		taken = swap(s);
	kws_pages_forget();
	s->reloads++;
	kws_notify_reloaded(&s->notify);
	kws_control_reloaded(s->now.control,
			     taken	  ? KWS_CONTROL_DONE
			     : s->refused ? KWS_CONTROL_REFUSED
					  : KWS_CONTROL_IN_PART,
			     s->errors);
	if (s->again && !s->building)
		begin(s);
	s->again = false;
}

bool kws_service_drop_reload(kws_service *s)
{
	enum { SOON_MS = 50 };
	struct pollfd built = { .fd = s->built, .events = POLLIN };

	if (!s->building)
		return true;
	if (poll(&built, 1, SOON_MS) != 1)
		return false;
	pthread_join(s->builder, NULL);
	s->building = false;
	if (!s->refused)
		kws_setup_drop(&s->next);
	return true;
}
