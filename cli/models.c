#include "cli/models.h"

#include "cli/cli.h"
#include "nearest.h"
#include "number.h"
#include "spot/gate.h"

#include <string.h>
#include <unistd.h>

enum { OPT_AFTER = 0x260, OPT_WITHIN };

static const struct argp_option options[] = {
	{ NULL, 0, NULL, 0, "Several models at once:", 3 },
	{ "after", OPT_AFTER, "NAME=OTHER", 0,
	  "Words of model NAME count only after a word of model OTHER; models are named by -m "
	  "NAME=FILE, or after their files",
	  0 },
	{ "within", OPT_WITHIN, "S|NAME=S", 0,
	  "At most S seconds after it, 0 to 3600, for all models or one (default 5)", 0 },
	{ 0 },
};

static void keep(const struct argp_state *state, const char *option, const char **list, size_t *n,
		 const char *arg)
{
	if (*n == KWS_MODELS_MOST)
		argp_error(state, "%s: more than %d times", option, KWS_MODELS_MOST);
	list[(*n)++] = arg;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	kws_models_args *a = state->input;
	switch (key) {
	case ARGP_KEY_INIT: *a = (kws_models_args){ 0 }; return 0;
	case OPT_AFTER: keep(state, "--after", a->after, &a->n_after, arg); return 0;
	case OPT_WITHIN: keep(state, "--within", a->within, &a->n_within, arg); return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

const struct argp kws_models_argp = { .options = options, .parser = parse };

/* ---- files and names ---- */

/* The file that arg names, NAME=FILE or FILE. Writes the name to `name', "" if there is none. If a
 * file exists under the whole text, the text is not NAME=FILE. */
static const char *file_of(const char *arg, char name[KWS_NAME])
{
	const size_t len = strcspn(arg, "=");
	name[0] = '\0';
	if (!arg[len] || !kws_is_name(arg, len) || access(arg, F_OK) == 0)
		return arg;
	memcpy(name, arg, len);
	name[len] = '\0';
	return arg + len + 1;
}

/* A name from a path: jarvis for models/jarvis.safetensors. Other characters become _. */
static void name_of_file(const char *path, char name[KWS_NAME])
{
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
	const char *dot = strrchr(base, '.');
	size_t n = dot && dot > base ? (size_t)(dot - base) : strlen(base);
	n = n < KWS_NAME ? n : KWS_NAME - 1;
	for (size_t i = 0; i < n; i++)
		name[i] = kws_is_name(base + i, 1) ? base[i] : '_';
	name[n] = '\0';
}

static kws_named_model *find(kws_models *m, const char *name, size_t len)
{
	for (size_t i = 0; i < m->n; i++)
		if (strlen(m->at[i].name) == len && strncmp(m->at[i].name, name, len) == 0)
			return &m->at[i];
	return NULL;
}

static int open_one(kws_models *m, const char *arg, bool alone)
{
	kws_named_model one = { .within_s = KWS_GATE_WITHIN_S };
	const char *path = arg ? file_of(arg, one.name) : NULL;
	if (path && !*one.name && !alone)
		name_of_file(path, one.name);
	if (find(m, one.name, strlen(one.name))) {
		kws_out_complain(
			"--model: two models are called %s; give another name with -m NAME=FILE",
			one.name);
		return KWS_EXIT_USAGE;
	}
	one.model = kws_args_open_model(path);
	if (!one.model)
		return KWS_EXIT_MODEL;
	m->at[m->n++] = one;
	if (!kws_model_max_frames(one.model))
		return KWS_EXIT_OK;
	kws_out_complain(
		"model %s: full attention cannot process an endless stream; `kws classify' "
		"takes it",
		kws_model_name(one.model));
	return KWS_EXIT_MODEL;
}

/* ---- gates ---- */

static kws_named_model *find_named(kws_models *m, const char *option, const char *name, size_t len)
{
	char text[64];
	kws_nearest near;
	kws_named_model *found = find(m, name, len);
	if (found && len)
		return found;
	snprintf(text, sizeof text, "%.*s", (int)(len < sizeof text ? len : sizeof text - 1), name);
	kws_nearest_init(&near, text);
	for (size_t i = 0; i < m->n; i++)
		kws_nearest_offer(&near, m->at[i].name);
	kws_out_complain("%s: no model of -m is called '%s'%s", option, text,
			 kws_nearest_hint(&near));
	return NULL;
}

static bool set_after(kws_models *m, const char *arg)
{
	const size_t len = strcspn(arg, "=");
	if (!arg[len]) {
		kws_out_complain("--after: '%s' is not NAME=OTHER with two models", arg);
		return false;
	}
	kws_named_model *one = find_named(m, "--after", arg, len);
	const kws_named_model *other =
		one ? find_named(m, "--after", arg + len + 1, strlen(arg + len + 1)) : NULL;
	if (!other)
		return false;
	if (one->after && strcmp(one->after, other->name) != 0) {
		kws_out_complain("--after: %s cannot be after %s and after %s", one->name,
				 one->after, other->name);
		return false;
	}
	one->after = other->name;
	return true;
}

static bool no_circle(kws_models *m)
{
	for (size_t i = 0; i < m->n; i++) {
		const kws_named_model *at = &m->at[i];
		for (size_t steps = 0; at && at->after; at = find(m, at->after, strlen(at->after)))
			if (steps++ == m->n) {
				kws_out_complain("--after: %s comes after itself", at->name);
				return false;
			}
	}
	return true;
}

static bool set_within(kws_models *m, const char *arg)
{
	const size_t len = strcspn(arg, "=");
	const char *text = arg[len] ? arg + len + 1 : arg;
	char hint[32];
	double s;
	kws_named_model *one = NULL;
	if (arg[len] && !(one = find_named(m, "--within", arg, len)))
		return false;
	kws_number_comma(text, hint);
	if (!kws_number_real(text, 0.0, KWS_GATE_LONGEST_S, &s)) {
		kws_out_complain("--within: '%s' is not a number in 0..%.0f%s", text,
				 KWS_GATE_LONGEST_S, hint);
		return false;
	}
	size_t n = 0;
	for (size_t i = 0; i < m->n; i++)
		if (m->at[i].after && (!one || one == &m->at[i])) {
			m->at[i].within_s = s;
			n++;
		}
	if (!n)
		kws_out_complain("--within needs --after for %s", one ? one->name : "a model");
	return n > 0;
}

/* Values for all models come first: values for one model override them. */
static bool set_gates(kws_models *m, const kws_models_args *args)
{
	bool good = true;
	for (size_t i = 0; i < args->n_after && good; i++)
		good = set_after(m, args->after[i]);
	good = good && no_circle(m);
	for (int of_one = 0; of_one < 2; of_one++)
		for (size_t i = 0; i < args->n_within && good; i++)
			if ((strchr(args->within[i], '=') != NULL) == of_one)
				good = set_within(m, args->within[i]);
	return good;
}

int kws_models_open(kws_models *m, const kws_args_audio *audio, const kws_models_args *args)
{
	int status = KWS_EXIT_OK;
	if (!audio->n_models)
		status = open_one(m, NULL, true);
	for (size_t i = 0; i < audio->n_models && status == KWS_EXIT_OK; i++)
		status = open_one(m, audio->models[i], audio->n_models == 1);
	return status == KWS_EXIT_OK && !set_gates(m, args) ? KWS_EXIT_USAGE : status;
}

void kws_models_close(kws_models *m)
{
	for (size_t i = 0; i < m->n; i++)
		kws_model_close(m->at[i].model);
}
