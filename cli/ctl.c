/* kws ctl - queries and controls the running kwsd through its control socket. */
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/ctl_show.h"
#include "cli/link.h"
#include "cli/out.h"
#include "nearest.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum {
	OPT_SOCKET = 0x100,
	OPT_FORMAT,
	OPT_JSON,
	OPT_KEEP,
	OPT_TIMEOUT,
	OPT_FOLLOW,
	OPT_LISTENER,
	OPT_SPOTTER
};
enum { PATH = 512, AGAIN_MS = 500 };

typedef struct {
	const char *socket, *listener, *spotter;
	char path[PATH];
	double timeout_s;
	bool keep, follow;
	enum kws_format format;
	char **words; /* the request, ended by NULL */
} args;

static const struct argp_option options[] = {
	{ NULL, 0, NULL, 0, "Of some requests:", 1 },
	{ "keep", OPT_KEEP, NULL, 0, "set, on, off: keep it after a reload and a restart", 0 },
	{ "listener", OPT_LISTENER, "NAME", 0, "subscribe: only from [audio NAME]", 0 },
	{ "spotter", OPT_SPOTTER, "NAME", 0, "subscribe: only from [model NAME]", 0 },
	{ "follow", OPT_FOLLOW, NULL, 0,
	  "events, subscribe: if kwsd ends, wait for it and continue", 0 },
	{ NULL, 0, NULL, 0, "Of all requests:", 2 },
	{ "socket", OPT_SOCKET, "PATH", 0,
	  "The control socket (default: $KWS_CONTROL, $RUNTIME_DIRECTORY/control, "
	  "$XDG_RUNTIME_DIR/kwsd/control if it exists, /run/kwsd/control)",
	  0 },
	{ "timeout", OPT_TIMEOUT, "SECONDS", 0, "Wait at most SECONDS for an answer (default: 30)",
	  0 },
	{ "format", OPT_FORMAT, "FORMAT", 0, "text (default), or jsonl: the lines of kwsd", 0 },
	{ "json", OPT_JSON, NULL, 0, "the same as --format jsonl", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	args *a = state->input;

	switch (key) {
	case OPT_SOCKET: a->socket = arg; return 0;
	case OPT_KEEP: a->keep = true; return 0;
	case OPT_LISTENER: a->listener = arg; return 0;
	case OPT_SPOTTER: a->spotter = arg; return 0;
	case OPT_FOLLOW: a->follow = true; return 0;
	case OPT_TIMEOUT:
		a->timeout_s = kws_args_need_real(state, "--timeout", arg, 0.0, 86400.0);
		return 0;
	case OPT_JSON: a->format = KWS_FORMAT_JSONL; return 0;
	case OPT_FORMAT:
		a->format = kws_args_need_format(state, arg,
						 1u << KWS_FORMAT_TEXT | 1u << KWS_FORMAT_JSONL);
		return 0;
	case ARGP_KEY_ARGS: a->words = state->argv + state->next; return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "[status]\nevents\nsubscribe STREAM[=RATE]...\nset KEY=VALUE...\non "
		    "[LISTENER]\noff "
		    "[LISTENER]\nreload\nversion",
	.doc = "Query and control the running kwsd.\vSTREAM is events, near_misses, scores, levels "
	       "or mel, at most RATE lines a second. KEY is a key that needs no reload: "
	       "threshold.WORD, "
	       "decision.KEY, 'audio NAME.enabled'. Exit status: 0 done, 1 wrong request, 69 kwsd "
	       "does not run, 75 no answer in time, 78 refused.",
};

/* ---- what goes wrong ---- */

static int no_daemon(const args *a, int code)
{
	if (code == ECONNREFUSED || code == ENOENT)
		kws_out_complain("%s: kwsd is not there: %s", a->path, strerror(code));
	else
		kws_out_complain("%s: %s", a->path, code ? strerror(code) : "kwsd has closed it");
	return code == ETIMEDOUT ? EX_TEMPFAIL : EX_UNAVAILABLE;
}

static const char *text_of(const json_t *o, const char *key)
{
	const char *t = json_string_value(json_object_get(o, key));

	return t ? t : "";
}

static int refused(const json_t *answer)
{
	const char *code = text_of(answer, "code");
	const json_t *errors = json_object_get(answer, "errors");

	for (size_t i = 0; i < json_array_size(errors); i++)
		kws_out_complain("%s", json_string_value(json_array_get(errors, i)));
	if (!json_array_size(errors))
		kws_out_complain("%s", text_of(answer, "error"));
	return !strcmp(code, "refused") || !strcmp(code, "in part") ? EX_CONFIG
	       : !strcmp(code, "full")				    ? EX_TEMPFAIL
								    : KWS_EXIT_INPUT;
}

/* ---- asking ---- */

/* Parse a line as a new object; NULL: it is not one. */
static json_t *read_line(const args *a, const char *line)
{
	json_t *o = json_loads(line, 0, NULL);

	if (o)
		return o;
	kws_out_complain("%s: the program that answers is not kwsd", a->path);
	return NULL;
}

/* Send the request and wait for the answer; takes the request. */
static int ask(const args *a, kws_link *l, json_t *request)
{
	const char *line = kws_link_send(l, request) ? kws_link_receive(l, a->timeout_s) : NULL;
	json_t *answer;
	int status = KWS_EXIT_OK;

	if (!line && errno == EPIPE) /* kwsd may have sent a reason */
		line = kws_link_receive(l, a->timeout_s);
	if (!line)
		return no_daemon(a, errno);
	answer = read_line(a, line);
	if (!answer)
		return EX_UNAVAILABLE;
	const bool told = a->format == KWS_FORMAT_JSONL && !json_object_get(answer, "streams");
	if (told)
		printf("%s\n", line);
	if (!json_is_true(json_object_get(answer, "ok")))
		status = refused(answer);
	else if (!told && json_object_get(answer, "status"))
		kws_ctl_show_status(json_object_get(answer, "status"));
	else if (!told && json_object_get(answer, "version"))
		printf("kwsd %s, protocol %lld\n", text_of(answer, "version"),
		       (long long)json_integer_value(json_object_get(answer, "protocol")));
	json_decref(answer);
	return status;
}

/* Connect and ask; takes the request. patient: wait silently until kwsd is there. */
static int begin(const args *a, kws_link *l, json_t *request, bool patient)
{
	bool open = kws_link_open(l, a->path, a->timeout_s);

	for (; !open && patient; open = kws_link_open(l, a->path, a->timeout_s))
		poll(NULL, 0, AGAIN_MS);
	if (open)
		return ask(a, l, request);
	json_decref(request);
	return no_daemon(a, errno);
}

/* Show what arrives until the other side closes (EX_UNAVAILABLE), or our reader has gone. */
static int hear(const args *a, kws_link *l)
{
	const char *line;

	while ((line = kws_link_receive(l, -1.0))) {
		json_t *o = a->format == KWS_FORMAT_TEXT ? read_line(a, line) : NULL;

		if (o)
			kws_ctl_show_line(o, line);
		else
			printf("%s\n", line);
		json_decref(o);
		if (!kws_out_flush())
			return KWS_EXIT_OK;
	}
	return no_daemon(a, errno);
}

static int follow(const args *a, json_t *request)
{
	bool again = false;
	kws_link l;
	int status;

	do {
		status = begin(a, &l, json_incref(request), again);
		if (status == KWS_EXIT_OK)
			status = hear(a, &l);
		kws_link_close(&l);
		again = a->follow && status == EX_UNAVAILABLE;
	} while (again);
	json_decref(request);
	return status;
}

static int ask_once(const args *a, json_t *request)
{
	kws_link l;
	const int status = begin(a, &l, request, false);

	kws_link_close(&l);
	return status;
}

/* ---- requests ---- */

static json_t *request_for(const char *name)
{
	json_t *o = json_object();

	kws_out_set(o, "request", json_string(name));
	return o;
}

static int usage(const char *text)
{
	kws_out_complain("%s; `kws ctl --help' has more", text);
	return KWS_EXIT_USAGE;
}

static int plain(const args *a)
{
	if (a->words[0] && a->words[1])
		return usage("one request at a time; this one takes no arguments");
	return ask_once(a, request_for(a->words[0] ? a->words[0] : "status"));
}

static json_t *subscription(const args *a, const char *rate)
{
	json_t *o = json_object();
	char *end;

	if (rate)
		kws_out_set(o, "rate_hz", json_real(strtod(rate, &end)));
	if (rate && (end == rate || *end)) {
		json_decref(o);
		return NULL;
	}
	if (a->listener)
		kws_out_set(o, "listener", kws_out_json_text(a->listener));
	if (a->spotter)
		kws_out_set(o, "spotter", kws_out_json_text(a->spotter));
	return o;
}

static int subscribe(const args *a)
{
	json_t *o = request_for("subscribe");

	if (!a->words[1]) {
		json_decref(o);
		return usage("subscribe to what? events, near_misses, scores, levels or mel");
	}
	for (char **w = a->words + 1; *w; w++) {
		char name[32];
		const size_t n = strcspn(*w, "=");
		json_t *how = subscription(a, (*w)[n] ? *w + n + 1 : NULL);

		if (!how) {
			json_decref(o);
			return usage("want STREAM=RATE with a number of lines a second");
		}
		snprintf(name, sizeof name, "%.*s", (int)n, *w);
		kws_out_set(o, name, how);
	}
	return follow(a, o);
}

static int events(const args *a)
{
	json_t *o = request_for("subscribe");

	if (a->words[1]) {
		json_decref(o);
		return usage("events takes no arguments");
	}
	kws_out_set(o, "events", subscription(a, NULL));
	return follow(a, o);
}

static int set(const args *a)
{
	json_t *o = request_for("set"), *values = json_object();

	kws_out_set(o, "values", values);
	kws_out_set(o, "keep", json_boolean(a->keep));
	for (char **w = a->words + 1; *w; w++) {
		char *value = strchr(*w, '=');

		if (!value || value == *w) {
			json_decref(o);
			return usage("want KEY=VALUE");
		}
		*value = 0;
		kws_out_set(values, *w, kws_out_json_text(value + 1));
	}
	if (!json_object_size(values)) {
		json_decref(o);
		return usage("set what? want KEY=VALUE");
	}
	return ask_once(a, o);
}

static int turn(const args *a)
{
	json_t *o = request_for("listen");

	kws_out_set(o, "on", json_boolean(!strcmp(a->words[0], "on")));
	kws_out_set(o, "keep", json_boolean(a->keep));
	if (a->words[1])
		kws_out_set(o, "listener", kws_out_json_text(a->words[1]));
	if (a->words[1] && a->words[2]) {
		json_decref(o);
		return usage("one microphone at a time, or all without a name");
	}
	return ask_once(a, o);
}

static const struct {
	const char *name;
	int (*run)(const args *a);
} requests[] = {
	{ "status", plain },	    { "version", plain }, { "reload", plain }, { "events", events },
	{ "subscribe", subscribe }, { "set", set },	  { "on", turn },      { "off", turn },
};

int kws_cmd_ctl(int argc, char **argv)
{
	static char *none[] = { NULL };
	args a = { .timeout_s = 30.0, .words = none };
	kws_nearest near;

	kws_args_parse(&argp, argc, argv, &a);
	kws_link_path(a.socket, a.path, sizeof a.path);
	if (!a.words[0])
		return plain(&a);
	kws_nearest_init(&near, a.words[0]);
	for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
		kws_nearest_offer(&near, requests[i].name);
		if (!strcmp(requests[i].name, a.words[0]))
			return requests[i].run(&a);
	}
	kws_out_complain("'%s' is not a request of kws ctl%s", a.words[0], kws_nearest_hint(&near));
	return KWS_EXIT_USAGE;
}
