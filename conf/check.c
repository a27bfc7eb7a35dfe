#include "conf/table.h"

#include "spot/event.h"

#include "nearest.h"

#include <stdarg.h>
#include <string.h>

/* ---- microphones and models ---- */

static const kws_conf_model *model_of(const kws_conf *c, const char *name)
{
	for (size_t i = 0; i < c->n_model; i++)
		if (!strcmp(c->model[i].name, name))
			return &c->model[i];
	return NULL;
}

/* where: the key or section that names the model. */
static void no_such_model(kws_conf_told *t, const kws_conf *c, const char *where, const char *name)
{
	kws_nearest near;

	kws_nearest_init(&near, name);
	for (size_t i = 0; i < c->n_model; i++)
		kws_nearest_offer(&near, c->model[i].name);
	kws_conf_tell(t, "%s: there is no [model %s]%s", where, name, kws_nearest_hint(&near));
}

static void check_models(kws_conf_told *t, const kws_conf *c, const kws_conf_audio *a)
{
	char title[KWS_CONF_TITLE], where[KWS_CONF_TITLE + 16], name[KWS_CONF_NAME];

	snprintf(where, sizeof where, "%s models", kws_conf_title("audio", a->name, title));
	for (const char *at = a->models; *at; at += strcspn(at, " "), at += *at == ' ') {
		snprintf(name, sizeof name, "%.*s", (int)strcspn(at, " "), at);
		const kws_conf_model *m = model_of(c, name);

		if (!m)
			no_such_model(t, c, where, name);
		else if (*m->after && model_of(c, m->after) && !kws_conf_hears(a, m->after))
			kws_conf_tell(t, "%s: %s counts after %s, which is not among them", where,
				      name, m->after);
	}
}

static bool is_raw(const kws_conf_audio *a)
{
	return !strncmp(a->device, "raw:", 4);
}

/* Two may hear one microphone, each another channel of it. A pipe can be read by one only. */
static bool share_a_source(const kws_conf_audio *a, const kws_conf_audio *b)
{
	return !strcmp(a->device, b->device) && (a->channel == b->channel || is_raw(a));
}

static void check_audio(kws_conf_told *t, const kws_conf *c, size_t i)
{
	const kws_conf_audio *a = &c->audio[i];
	char title[KWS_CONF_TITLE], other[KWS_CONF_TITLE];

	kws_conf_title("audio", a->name, title);
	if (a->rate_hz && a->rate_hz < 8000)
		kws_conf_tell(t, "%s rate_hz: %u is not 0 nor in 8000..192000", title, a->rate_hz);
	if (a->channels && a->channel > a->channels)
		kws_conf_tell(t, "%s channel: %u, but channels is %u", title, a->channel,
			      a->channels);
	if (a->backoff_ms > a->backoff_max_s * 1000)
		kws_conf_tell(t, "%s backoff_ms: %u is more than backoff_max_s, %u s", title,
			      a->backoff_ms, a->backoff_max_s);
	check_models(t, c, a);
	for (size_t k = 0; k < i && a->enabled; k++)
		if (c->audio[k].enabled && share_a_source(&c->audio[k], a))
			kws_conf_tell(t, "%s device: %s%s is that of %s", title, a->device,
				      is_raw(a) ? "" : ", and the same channel,",
				      kws_conf_title("audio", c->audio[k].name, other));
}

/* A circle such as a -> b -> a is reported once, for its first model. */
static void check_circle(kws_conf_told *t, const kws_conf *c, const kws_conf_model *first)
{
	char way[KWS_CONF_MODELS * (KWS_CONF_NAME + 4) + KWS_CONF_NAME], title[KWS_CONF_TITLE];
	int n = snprintf(way, sizeof way, "%s", first->name);
	const kws_conf_model *m = first;

	for (size_t steps = 0; steps < c->n_model; steps++) {
		m = *m->after ? model_of(c, m->after) : NULL;
		if (!m || m < first)
			return;
		n += snprintf(way + n, sizeof way - (size_t)n, " -> %s", m->name);
		if (m == first) {
			kws_conf_tell(t, "%s after: a circle: %s",
				      kws_conf_title("model", first->name, title), way);
			return;
		}
	}
}

static void check_model(kws_conf_told *t, const kws_conf *c, const kws_conf_model *m)
{
	static const float default_s = 5.0f;
	char title[KWS_CONF_TITLE], where[KWS_CONF_TITLE + 16];
	bool heard = false;

	kws_conf_title("model", m->name, title);
	snprintf(where, sizeof where, "%s after", title);
	if (*m->after && !model_of(c, m->after))
		no_such_model(t, c, where, m->after);
	if (!*m->after && (m->within_s < default_s || m->within_s > default_s))
		kws_conf_tell(t, "%s within_s: says nothing without after", title);
	check_circle(t, c, m);
	for (size_t i = 0; i < c->n_audio; i++)
		heard |= kws_conf_hears(&c->audio[i], m->name);
	if (!heard)
		kws_conf_tell(t, "%s: no [audio] names it in models", title);
}

static void check_decision(kws_conf_told *t, const kws_conf *c, const kws_conf_decision *d)
{
	const bool says = d->smooth_ms != KWS_CONF_UNSAID || d->refractory_ms != KWS_CONF_UNSAID
			  || d->threshold >= -1.0f || !d->n_words;
	char title[KWS_CONF_TITLE];
	kws_conf_decision all;

	if (!*d->name)
		return;
	kws_conf_title(says ? "decision" : "threshold", d->name, title);
	if (!model_of(c, d->name))
		no_such_model(t, c, title, d->name);
	kws_conf_decision_for(c, "", &all);
	size_t n = all.n_words + d->n_words;
	for (size_t i = 0; i < d->n_words; i++)
		for (size_t k = 0; k < all.n_words; k++)
			n -= !strcmp(all.word[k].word, d->word[i].word);
	if (n > KWS_CONF_WORDS)
		kws_conf_tell(t, "[threshold %s]: %zu words with those of [threshold], at most %d",
			      d->name, n, KWS_CONF_WORDS);
}

/* ---- paths ---- */

static const char *skip_slashes(const char *p)
{
	while (p[0] == '/' && (p[1] == '/' || (p[1] == '.' && (p[2] == '/' || !p[2]))))
		p += p[1] == '/' ? 1 : 2;
	return p;
}

/* Compares the texts, except that // and /./ count as / */
static bool is_same_path(const char *a, const char *b)
{
	for (a = skip_slashes(a), b = skip_slashes(b); *a && *a == *b;
	     a = skip_slashes(a + 1), b = skip_slashes(b + 1))
		continue;
	return *a == *b;
}

/* No two things may be written to the same path. */
static void check_paths(kws_conf_told *t, const kws_conf *c)
{
	for (kws_conf_place p = { .next = 0 }; kws_conf_next_place(c, &p);) {
		kws_conf_place before = { .next = 0 };

		while (kws_conf_next_place(c, &before) && before.path != p.path)
			if (is_same_path(p.path, before.path))
				kws_conf_tell(t, "%s: %s is that of %s", p.key, p.path, before.key);
	}
}

/* ---- memory ---- */

enum { SHARES = 3 }; /* how many of the largest the error names */

typedef struct {
	double mib;
	struct {
		double mib;
		char text[192];
	} most[SHARES];
} memory;

__attribute__((format(printf, 5, 6))) static void
add_memory(memory *m, double kib, const char *section, const char *name, const char *format, ...)
{
	const double mib = kib / 1024.0;
	char title[KWS_CONF_TITLE], how[128];
	va_list ap;
	int i = 0;

	m->mib += mib;
	while (i < SHARES && m->most[i].mib >= mib)
		i++;
	if (i == SHARES)
		return;
	for (int k = SHARES - 1; k > i; k--)
		m->most[k] = m->most[k - 1];
	va_start(ap, format);
	vsnprintf(how, sizeof how, format, ap);
	va_end(ap);
	m->most[i].mib = mib;
	snprintf(m->most[i].text, sizeof m->most[i].text, "%s %s: %.0f MiB",
		 kws_conf_title(section, name, title), how, mib);
}

static unsigned number_of(const kws_conf *c, const kws_conf_section *s, size_t i, const char *key)
{
	unsigned n;

	memcpy(&n, (const char *)kws_conf_at(c, s, i) + kws_conf_key_find(s->name, key)->offset,
	       sizeof n);
	return n;
}

/* Buffers for clients of a socket, and queues of sinks. */
static void add_waiting(memory *m, const kws_conf *c, const kws_conf_section *s, size_t i)
{
	enum { KERNEL_KB = 208 }; /* the kernel's buffer for a socket */
	const char *name = kws_conf_name_of(c, s, i);
	const kws_conf_key *queue = kws_conf_key_find(s->name, "queue");

	if (kws_conf_key_find(s->name, "buffer_kb")) {
		const unsigned clients = number_of(c, s, i, "clients"),
			       kb = number_of(c, s, i, "buffer_kb"),
			       more_kb = KERNEL_KB
					 + (strcmp(s->name, "control") ? 0 : KWS_CONF_CONTROL_KB);

		add_memory(m, clients * ((double)kb + more_kb), s->name, name,
			   "clients = %u x (buffer_kb = %u + %u beside it)", clients, kb, more_kb);
	}
	if (queue && queue->kind == &kws_conf_events) {
		const unsigned n = number_of(c, s, i, "queue");

		add_memory(m, n * sizeof(kws_report) / 1024.0, s->name, name, "queue = %u", n);
	}
}

static void add_clips(memory *m, const kws_conf *c, const kws_conf_audio *a)
{
	char title[KWS_CONF_TITLE];
	const unsigned hz = a->rate_hz ? a->rate_hz : 192000,
		       ms = c->clips.pre_ms + c->clips.post_ms + KWS_CONF_CLIP_WORD_MS;

	if (*c->clips.dir)
		add_memory(m, c->clips.queue * 1e-3 * ms * hz * 2.0 / 1024.0, "clips", "",
			   "of %s queue = %u x %u ms at %u Hz",
			   kws_conf_title("audio", a->name, title), c->clips.queue, ms, hz);
}

/* The total of all buffers, which fill up if readers are slow. The unit's MemoryMax= must have room
 * for it and for the models. */
static void check_memory(kws_conf_told *t, const kws_conf *c)
{
	enum { MOST_MIB = 320 };
	memory m = { .mib = 0.0 };
	char text[512] = "";

	for (size_t k = 0; k < kws_conf_n_sections; k++) {
		const kws_conf_section *s = &kws_conf_sections[k];

		for (size_t i = 0; i < kws_conf_count_of(c, s); i++)
			if (kws_conf_is_on(c, s, i))
				add_waiting(&m, c, s, i);
	}
	for (size_t i = 0; i < c->n_audio; i++)
		add_clips(&m, c, &c->audio[i]);
	if (m.mib <= MOST_MIB)
		return;
	for (int i = 0; i < SHARES && m.most[i].mib >= 1.0; i++) {
		const size_t at = strlen(text);

		snprintf(text + at, sizeof text - at, "; %s", m.most[i].text);
	}
	kws_conf_tell(t, "buffers would take %.0f MiB, at most %d%s", m.mib, MOST_MIB, text);
}

int kws_conf_check(const kws_conf *c, const char *name, kws_conf_error_fn *fn, void *ctx)
{
	kws_conf_told told = { .name = name, .fn = fn, .ctx = ctx };

	for (size_t i = 0; i < c->n_audio; i++)
		check_audio(&told, c, i);
	for (size_t i = 0; i < c->n_model; i++)
		check_model(&told, c, &c->model[i]);
	for (size_t i = 0; i < c->n_decision; i++)
		check_decision(&told, c, &c->decision[i]);
	check_paths(&told, c);
	check_memory(&told, c);
	return told.errors;
}
