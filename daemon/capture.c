#include "daemon/capture.h"

#include "runtime/clock.h"
#include "runtime/log.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* A sound server may take this long to send the first block; until then, the stall limit is at
 * least this. */
static const double first_block_s = 5.0;
/* After a stream that lasted this long, the back-off starts anew. */
static const double good_stream_s = 10.0;
/* The least sound to examine for flaws: enough to contain speech or the noise of the room. */
static const double judged_after_s = 5.0;

typedef enum { NOTHING, OPEN, CLOSE, QUIT } order;

struct kws_capture {
	kws_conf_audio conf;
	enum kws_capture_state state;
	double deadline; /* of the order in progress */
	double retry_at, backoff_s;
	double started, last_step,
		quiet_s; /* of the running stream; quiet_s: time since the last block */
	unsigned long blocks;
	unsigned stream, attempts;
	bool told[KWS_N_FLAWS]; /* flaws of the running stream that were reported */
	bool reopen;		/* the settings have changed during an order */
	char reason[256];	/* why there is no stream */

	kws_device *device; /* the thread owns it during an order, otherwise the main thread */

	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t ordered;
	order pending; /* from here on: protected by lock */
	kws_conf_audio wanted;
	enum kws_status result;
	kws_error err;
	bool done, ended; /* ended: the thread has carried out its last order */
	bool retired;	  /* the thread owns the capture and frees it */
	int fd;
};

static void release(kws_capture *c)
{
	pthread_mutex_destroy(&c->lock);
	pthread_cond_destroy(&c->ordered);
	close(c->fd);
	free(c);
}

/* The only thread that opens and closes this device. */
static void *run(void *arg)
{
	kws_capture *c = arg;
	uint64_t one = 1;
	char last[KWS_CONF_TEXT] = ""; /* the device opened last */
	order o = NOTHING;
	bool retired = false;

	while (o != QUIT) {
		kws_device *d = NULL;
		kws_error err = { "" };
		enum kws_status status = KWS_OK;

		pthread_mutex_lock(&c->lock);
		while (c->pending == NOTHING)
			kws_clock_wait(&c->ordered, &c->lock, HUGE_VAL);
		o = c->pending;
		c->pending = NOTHING;
		d = c->device;
		kws_conf_audio a = c->wanted;
		pthread_mutex_unlock(&c->lock);

		if (o == QUIT || (o == OPEN && strcmp(last, a.device) != 0))
			kws_device_forget(last);
		if (o == OPEN) {
			snprintf(last, sizeof last, "%s", a.device);
			kws_device_config cfg = { .name = a.device,
						  .rate_hz = a.rate_hz,
						  .channels = a.channels,
						  .channel = a.channel,
						  .latency_ms = a.latency_ms };
			status = kws_device_open(&d, &cfg, &err);
		} else {
			kws_device_close(d);
			d = NULL;
		}
		pthread_mutex_lock(&c->lock);
		c->device = d;
		c->result = status;
		c->err = err;
		c->done = true;
		c->ended = o == QUIT;
		retired = c->ended && c->retired;
		pthread_mutex_unlock(&c->lock);
		if (!retired && write(c->fd, &one, sizeof one) < 0 && errno != EAGAIN)
			return NULL;
	}
	if (retired)
		release(c);
	return NULL;
}

static void give(kws_capture *c, order o, double deadline)
{
	pthread_mutex_lock(&c->lock);
	c->pending = o;
	c->wanted = c->conf;
	c->done = false;
	c->deadline = deadline;
	kws_clock_wake(&c->ordered);
	pthread_mutex_unlock(&c->lock);
}

static bool is_done(kws_capture *c, enum kws_status *result, kws_error *err)
{
	uint64_t n;

	pthread_mutex_lock(&c->lock);
	bool done = c->done;
	*result = c->result;
	*err = c->err;
	pthread_mutex_unlock(&c->lock);
	if (done && read(c->fd, &n, sizeof n) < 0)
		n = 0; /* woken twice for one order */
	return done;
}

enum kws_status kws_capture_create(kws_capture **out, const kws_conf_audio *conf, kws_error *err)
{
	kws_capture *c = calloc(1, sizeof *c);
	int failed;

	*out = NULL;
	if (!c)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	c->conf = *conf;
	c->backoff_s = 1e-3 * conf->backoff_ms;
	c->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&c->lock, NULL);
	kws_clock_cond_init(&c->ordered);
	if (c->fd < 0) {
		free(c);
		return kws_fail(err, KWS_ERR_NOMEM, "audio: eventfd: %s", kws_strerrno(errno));
	}
	failed = kws_clock_start(&c->thread, NULL, run, c);
	if (failed) {
		close(c->fd);
		free(c);
		return kws_fail(err, KWS_ERR_NOMEM, "audio: " KWS_NO_THREAD, strerror(failed));
	}
	*out = c;
	return KWS_OK;
}

/* Wait until the order is done. False: the time is over. */
static bool await(kws_capture *c, double until)
{
	enum kws_status result;
	kws_error err;

	while (!is_done(c, &result, &err)) {
		if (kws_clock_mono() > until)
			return false;
		kws_clock_sleep(0.005);
	}
	return true;
}

bool kws_capture_destroy(kws_capture *c, int timeout_ms)
{
	double until = kws_clock_mono() + 1e-3 * timeout_ms;

	if (!c)
		return true;
	if (c->state == KWS_CAPTURE_HUNG)
		return false;
	if ((c->state == KWS_CAPTURE_OPENING || c->state == KWS_CAPTURE_CLOSING)
	    && !await(c, until))
		return false;
	give(c, QUIT, until);
	if (!await(c, until))
		return false;
	pthread_join(c->thread, NULL);
	release(c);
	return true;
}

void kws_capture_retire(kws_capture *c)
{
	const pthread_t thread = c->thread;

	pthread_mutex_lock(&c->lock);
	const bool ended = c->ended;
	c->pending = QUIT;
	c->retired = true;
	kws_clock_wake(&c->ordered);
	pthread_mutex_unlock(&c->lock);
	if (!ended) {
		pthread_detach(thread);
		return;
	}
	pthread_join(thread, NULL);
	release(c);
}

static void back_off(kws_capture *c)
{
	c->backoff_s *= 2;
	if (c->backoff_s > c->conf.backoff_max_s)
		c->backoff_s = c->conf.backoff_max_s;
}

static void opened(kws_capture *c, double mono)
{
	c->state = KWS_CAPTURE_RUNNING;
	c->stream++;
	c->started = c->last_step = mono;
	c->quiet_s = 0.0;
	c->blocks = 0;
	c->attempts = 0;
	memset(c->told, 0, sizeof c->told);
	if (c->reopen)
		kws_capture_lose(c, c->conf.enabled ? "reconfigured" : "switched off");
}

/* A file or standard input is not audio that can be read: trying again would not help. */
static void refuse(kws_capture *c, const char *why)
{
	kws_log(KWS_LOG_ERROR, "%s", why);
	snprintf(c->reason, sizeof c->reason, "%s", why);
	c->state = KWS_CAPTURE_REFUSED;
}

static void not_opened(kws_capture *c, double mono, const kws_error *err)
{
	/* log the same reason only once, not at every attempt */
	bool news = strcmp(c->reason, err->text) != 0;

	memcpy(c->reason, err->text, sizeof c->reason);
	kws_log(news ? KWS_LOG_WARNING : KWS_LOG_DEBUG,
		"no audio: %s; trying again every %.3g s or so", err->text, c->backoff_s);
	c->attempts++;
	c->state = KWS_CAPTURE_CLOSED;
	c->retry_at = mono + c->backoff_s;
	back_off(c);
}

void kws_capture_lose(kws_capture *c, const char *reason)
{
	double mono = kws_clock_mono();

	if (c->state != KWS_CAPTURE_RUNNING)
		return;
	if (mono - c->started > good_stream_s)
		c->backoff_s = 1e-3 * c->conf.backoff_ms;
	snprintf(c->reason, sizeof c->reason, "%s", reason);
	c->state = KWS_CAPTURE_CLOSING;
	give(c, CLOSE, mono + 1e-3 * c->conf.teardown_ms);
}

/* Log the lasting flaws of the sound, each once per stream. whole: the stream is complete. */
static void tell_flaws(kws_capture *c, bool whole)
{
	static const enum kws_flaw lasting[] = { KWS_FLAW_CANCELLING, KWS_FLAW_DEAD_CHANNEL,
						 KWS_FLAW_NOISY_CHANNEL, KWS_FLAW_OFFSET };
	char text[KWS_FLAW_TEXT];
	kws_findings f;

	if (!kws_device_findings(c->device, &f) || (f.seconds < judged_after_s && !whole))
		return;
	for (size_t i = 0; i < sizeof lasting / sizeof *lasting; i++) {
		if (!f.has[lasting[i]] || c->told[lasting[i]])
			continue;
		c->told[lasting[i]] = true;
		kws_flaw_say(&f, lasting[i], "audio.channel=", text);
		kws_log(KWS_LOG_WARNING, "%s: %s", kws_device_name(c->device), text);
	}
}

/* A piece may be late by as much as two others. */
static double stall_limit(const kws_capture *c, const kws_device_state *st)
{
	const double limit = fmax(1e-3 * c->conf.stall_ms, 3e-3 * c->conf.latency_ms);

	return st->blocks ? limit : fmax(limit, first_block_s);
}

/* Count the time without blocks only while kwsd runs: if kwsd was stopped for a second, that is not
 * the device's fault. */
static void watch(kws_capture *c, double mono)
{
	const double dt = mono - c->last_step, awake = fmax(0.1, 1.5e-3 * c->conf.latency_ms);
	kws_device_state st;

	kws_device_state_get(c->device, &st);
	tell_flaws(c, st.finished);
	c->last_step = mono;
	if (st.blocks != c->blocks) {
		c->blocks = st.blocks;
		c->quiet_s = 0.0;
	} else {
		c->quiet_s += fmin(dt, awake);
	}
	if (st.ended && kws_device_available(c->device) > 0)
		return; /* process what is left first */
	const char *trouble = kws_device_trouble(c->device);
	if (st.refused) {
		refuse(c, trouble);
		return;
	}
	if (st.finished && *trouble)
		kws_log(KWS_LOG_WARNING, "%s", trouble);
	if (st.finished)
		c->state = KWS_CAPTURE_ENDED;
	else if (st.ended)
		kws_capture_lose(c, *trouble			    ? trouble
				    : kws_device_is_pipe(c->device) ? "the writer went away"
								    : "the device went away");
	else if (kws_device_is_pipe(c->device))
		return; /* a pipe may pause for any time */
	else if (c->quiet_s > stall_limit(c, &st))
		kws_capture_lose(c, "stalled: the device sends nothing");
}

enum kws_capture_state kws_capture_step(kws_capture *c, double mono)
{
	enum kws_status result;
	kws_error err;

	switch (c->state) {
	case KWS_CAPTURE_CLOSED:
		if (!c->conf.enabled || mono < c->retry_at)
			break;
		c->state = KWS_CAPTURE_OPENING;
		c->reopen = false;
		give(c, OPEN, mono + c->conf.open_s);
		break;
	case KWS_CAPTURE_OPENING:
	case KWS_CAPTURE_CLOSING:
		if (!is_done(c, &result, &err)) {
			if (mono > c->deadline)
				c->state = KWS_CAPTURE_HUNG;
		} else if (c->state == KWS_CAPTURE_CLOSING) {
			c->state = KWS_CAPTURE_CLOSED;
			c->retry_at = c->reopen ? mono : mono + c->backoff_s;
			back_off(c);
		} else if (result == KWS_OK) {
			opened(c, mono);
		} else if (result == KWS_ERR_FORMAT) {
			refuse(c, err.text);
		} else {
			not_opened(c, mono, &err);
		}
		break;
	case KWS_CAPTURE_RUNNING: watch(c, mono); break;
	case KWS_CAPTURE_ENDED:
	case KWS_CAPTURE_REFUSED:
	case KWS_CAPTURE_HUNG: break;
	}
	return c->state;
}

void kws_capture_configure(kws_capture *c, const kws_conf_audio *conf)
{
	bool same = c->conf.enabled == conf->enabled && !strcmp(c->conf.device, conf->device)
		    && c->conf.rate_hz == conf->rate_hz && c->conf.channels == conf->channels
		    && c->conf.channel == conf->channel && c->conf.latency_ms == conf->latency_ms;

	c->conf = *conf;
	c->backoff_s = 1e-3 * conf->backoff_ms;
	c->retry_at = 0.0;
	if (same)
		return;
	c->reopen = true;
	kws_capture_lose(c, conf->enabled ? "reconfigured" : "switched off");
}

kws_device *kws_capture_device(kws_capture *c)
{
	return c->state == KWS_CAPTURE_RUNNING || c->state == KWS_CAPTURE_ENDED ? c->device : NULL;
}

unsigned kws_capture_stream(const kws_capture *c)
{
	return c->stream;
}

unsigned kws_capture_attempts(const kws_capture *c)
{
	return c->attempts;
}

const char *kws_capture_reason(const kws_capture *c)
{
	return c->reason;
}

const char *kws_capture_state_name(const kws_capture *c)
{
	switch (c->state) {
	case KWS_CAPTURE_CLOSED: return c->conf.enabled ? "closed" : "off";
	case KWS_CAPTURE_OPENING: return "opening";
	case KWS_CAPTURE_RUNNING: return "running";
	case KWS_CAPTURE_CLOSING: return "closing";
	case KWS_CAPTURE_ENDED: return "ended";
	case KWS_CAPTURE_REFUSED: return "refused";
	case KWS_CAPTURE_HUNG: break;
	}
	return "hung";
}

int kws_capture_fd(const kws_capture *c)
{
	return c->fd;
}

int kws_capture_data_fd(kws_capture *c)
{
	return c->state == KWS_CAPTURE_RUNNING ? kws_device_fd(c->device) : -1;
}
