/* kws label - makes truth files: plays what was heard, and asks whether it was said. */
#include "audio/device.h"
#include "cli/asking.h"
#include "cli/base.h"
#include "cli/cli.h"
#include "cli/labels.h"
#include "corpus/files.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { OPT_EVENTS = 0x100, OPT_PLAYER, OPT_CHANNEL, MOST_S = 60 };

typedef struct {
	kws_args_audio audio;
	const char *events, *player;
	char **named; /* (n_named,) */
	int n_named;
} args;

static const struct argp_option options[] = {
	{ NULL, 0, NULL, 0, "What is asked, and how it is heard:", 1 },
	{ "events", OPT_EVENTS, "LIST", 0,
	  "Events of recordings instead of clips: what `kws spot --format jsonl' has printed", 1 },
	{ "player", OPT_PLAYER, "COMMAND", 0,
	  "Play with this command, which is given a WAV file, such as 'aplay -q'; none: do not "
	  "play "
	  "(default: the default output)",
	  1 },
	{ NULL, 0, NULL, 0, "The sound and the model:", 2 },
	{ "model", 'm', "MODEL", 0, "A model that heard the words; may be repeated", 2 },
	{ "channel", OPT_CHANNEL, "N", 0, "This channel of the files (default: the mean of all)",
	  2 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	args *a = state->input;
	switch (key) {
	case OPT_EVENTS:
		if (a->events)
			argp_error(state, "--events: only one list");
		a->events = arg;
		return 0;
	case OPT_PLAYER: a->player = arg; return 0;
	case OPT_CHANNEL:
		a->audio.channel = (int)kws_args_need(state, "--channel", arg, 1, 1024);
		return 0;
	case 'm': kws_args_add_model(state, &a->audio, arg); return 0;
	case ARGP_KEY_ARGS:
		a->named = state->argv + state->next;
		a->n_named = state->argc - state->next;
		return 0;
	case ARGP_KEY_END:
		if (!a->n_named && !a->events)
			argp_error(state, "name the folder with the clips of kwsd, clips, or "
					  "--events with a list");
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

typedef struct {
	const args *a;
	kws_models models;
	kws_candidates c;
	/* A recording is read on from where the question before ended. */
	kws_source *src;
	const char *open; /* its path; NULL: none */
	uint64_t read;	  /* samples */
	size_t n_failed;  /* clips that cannot be read */
} task;

/* ---- what to ask about ---- */

static bool is_named(const args *a, const char *path)
{
	bool found = !a->n_named;
	for (int i = 0; i < a->n_named; i++)
		found = found || strcmp(a->named[i], path) == 0;
	return found;
}

/* The events of LIST in the recordings that are named. Returns an exit status. */
static int gather_events(task *t)
{
	if (!kws_candidates_events(&t->c, t->a->events, &t->models))
		return KWS_EXIT_INPUT;
	for (int i = 0; i < t->a->n_named; i++) {
		bool found = false;
		for (size_t k = 0; k < t->c.n; k++)
			found = found || strcmp(t->c.all[k].path, t->a->named[i]) == 0;
		if (!found) {
			kws_out_complain("%s: %s has no event in it", t->a->named[i], t->a->events);
			return KWS_EXIT_UNSUPPORTED;
		}
	}
	for (size_t k = 0; k < t->c.n; k++)
		t->c.all[k].told = !is_named(t->a, t->c.all[k].path);
	kws_candidates_drop_told(&t->c);
	if (t->c.n)
		return KWS_EXIT_OK;
	kws_out_complain("%s: no events in it", t->a->events);
	return KWS_EXIT_UNSUPPORTED;
}

/* Returns an exit status. */
static int list_clips(const args *a, kws_marks *clips)
{
	for (int i = 0; i < a->n_named; i++) {
		const char *path = a->named[i];
		const size_t before = clips->n;
		struct stat st;
		kws_clip_name says;
		const char *slash = strrchr(path, '/');
		const bool folder = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
		if (!folder && !kws_clip_name_read(&says, slash ? slash + 1 : path)) {
			kws_out_complain("%s: no clip of kwsd; for a recording: kws spot --format "
					 "jsonl %s > LIST, then kws label --events LIST",
					 path, path);
			return KWS_EXIT_INPUT;
		}
		if (folder ? !kws_marks_list(clips, path, NULL) : !kws_marks_add(clips, path))
			return KWS_EXIT_INPUT;
		if (clips->n == before) {
			kws_out_complain("%s: no clips of kwsd in it; it keeps them if [clips] dir "
					 "is set",
					 path);
			return KWS_EXIT_UNSUPPORTED;
		}
	}
	return KWS_EXIT_OK;
}

static int gather_clips(task *t)
{
	kws_marks clips = { 0 };
	int status = list_clips(t->a, &clips);
	if (status == KWS_EXIT_OK
	    && !kws_candidates_clips(&t->c, &clips, &t->models, t->a->audio.channel, &t->n_failed))
		status = KWS_EXIT_INPUT;
	kws_marks_free(&clips);
	return status;
}

/* The first candidate after i of another recording. */
static size_t recording_end(const kws_candidates *c, size_t i)
{
	size_t end = i;
	while (end < c->n && strcmp(c->all[end].path, c->all[i].path) == 0)
		end++;
	return end;
}

/* What the truth files say already. */
static bool read_labels(task *t)
{
	bool good = true;
	for (size_t i = 0, end; good && i < t->c.n; i = end) {
		end = recording_end(&t->c, i);
		good = kws_labels_read(&t->c.all[i], end - i);
	}
	return good;
}

/* ---- sounds ---- */

static bool reopen(task *t, const char *path)
{
	kws_error err = { "" };
	kws_source_close(t->src);
	t->src = NULL;
	t->open = NULL;
	t->read = 0;
	if (kws_source_open_file(&t->src, path, t->a->audio.channel, &err) != KWS_OK) {
		kws_out_complain_of(path, err.text);
		return false;
	}
	t->open = path;
	return true;
}

/* Read the seconds from .. to of a recording into q. False: they cannot be read; reported. */
static bool read_part(task *t, const kws_candidate *c, kws_question *q)
{
	enum { BLOCK = 65536 };
	kws_error err = { "" };
	const bool same = t->open && strcmp(t->open, c->path) == 0;
	const double rate = same ? (double)kws_source_rate(t->src) : 0.0;
	if ((!same || (double)t->read > c->from * rate) && !reopen(t, c->path))
		return false;
	q->rate_hz = kws_source_rate(t->src);
	const uint64_t from = (uint64_t)(c->from * q->rate_hz), to = (uint64_t)(c->to * q->rate_hz);
	float *pcm = malloc(((size_t)(to - from) + BLOCK) * sizeof *pcm);
	enum kws_status status = pcm ? KWS_OK : kws_fail(&err, KWS_ERR_NOMEM, "out of memory");
	for (size_t got = 1; status == KWS_OK && got && t->read < to; t->read += got) {
		const uint64_t end = t->read < from ? from : to;
		const size_t n = end - t->read < BLOCK ? (size_t)(end - t->read) : BLOCK;
		status = kws_source_read(t->src, pcm + q->n, n, &got, &err);
		q->n += t->read < from ? 0 : got;
	}
	if (status == KWS_OK && !q->n)
		status = kws_fail(&err, KWS_ERR_FORMAT, "it ends before second %g", c->from);
	if (status == KWS_OK) {
		q->pcm = pcm;
		return true;
	}
	free(pcm);
	kws_out_complain_of(c->path, err.text);
	return false;
}

static void describe(const kws_candidate *c, kws_question *q)
{
	char when[128], level[32] = "";
	if (c->clip)
		snprintf(when, sizeof when, "%s UTC%s%s", c->says.when,
			 *c->says.listener ? ", " : "", c->says.listener);
	else
		snprintf(when, sizeof when, "%.2f to %.2f s", c->start, c->end);
	if (isfinite(c->level_dbfs))
		snprintf(level, sizeof level, ", %.1f dBFS", c->level_dbfs);
	snprintf(q->about, sizeof q->about, "%s: %s, score %.2f%s", when,
		 c->near ? "a near miss" : "an event", c->score, level);
	size_t n = 0;
	if (c->answered)
		n = (size_t)snprintf(q->marked, sizeof q->marked, "%.80s",
				     c->said ? c->said : "not said");
	for (size_t i = 0; i < c->n_too && n < sizeof q->marked; i++)
		n += (size_t)snprintf(q->marked + n, sizeof q->marked - n, "%s%.80s, too",
				      n ? "; " : "", c->too[i]);
}

/* ---- the questions ---- */

static bool answered(void *ctx, size_t i)
{
	const task *t = ctx;
	return t->c.all[i].answered;
}

static bool show(void *ctx, size_t i, kws_question *q)
{
	task *t = ctx;
	const kws_candidate *c = &t->c.all[i];
	if (!c->clip) {
		if (!read_part(t, c, q))
			return false;
	} else if (!kws_base_hear(c->path, t->a->audio.channel, MOST_S, &q->pcm, &q->n,
				  &q->rate_hz)) {
		return false;
	}
	q->name = c->path;
	q->word = c->word;
	describe(c, q);
	return true;
}

/* A word that no model has is not said, for kws eval: perhaps it is misspelt. */
static void check_word(const task *t, const char *word)
{
	size_t w;
	if (!kws_candidates_model(&t->models, word, &w))
		fprintf(stderr,
			"  \"%s\" is none of the model's words: it counts as other speech\n", word);
}

static bool take(void *ctx, size_t i, enum kws_answer answer, const char *word, bool first)
{
	task *t = ctx;
	kws_candidate *c = &t->c.all[i];
	if (first)
		kws_candidate_clear(c);
	if (*word)
		check_word(t, word);
	if (answer == KWS_ANSWER_TOO ? !kws_candidate_say_too(c, word)
				     : !kws_candidate_say(c, answer == KWS_ANSWER_RIGHT	  ? c->word
							     : answer == KWS_ANSWER_WRONG ? NULL
											  : word))
		return false;
	while (i && strcmp(t->c.all[i - 1].path, c->path) == 0)
		i--;
	return kws_labels_write(&t->c.all[i], recording_end(&t->c, i) - i);
}

/* ---- the end ---- */

/* Seconds of the time of day in a clip's name, and days from some day on. */
static double time_of(const kws_clip_name *says)
{
	int y = 0, m = 0, d = 0, h = 0, min = 0;
	double s = 0.0;
	if (sscanf(says->when, "%d-%d-%d %d:%d:%lf", &y, &m, &d, &h, &min, &s) != 6)
		return 0.0;
	const int from = m > 2 ? m - 3 : m + 9, year = m > 2 ? y : y - 1;
	const int days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * from + 2) / 5 + d;
	return (double)days * 86400.0 + h * 3600.0 + min * 60.0 + s;
}

static void print_next(const task *t)
{
	double first = (double)INFINITY, last = -(double)INFINITY;
	for (size_t i = 0; i < t->c.n; i++) {
		first = fmin(first, time_of(&t->c.all[i].says));
		last = fmax(last, time_of(&t->c.all[i].says));
	}
	printf("from the first clip to the last: %.2f h\n"
	       "thresholds from them: kws calibrate --hours H%s%s, where H are the hours that kwsd "
	       "heard\n",
	       (last - first) / 3600.0, t->a->n_named == 1 ? " " : " CLIPS",
	       t->a->n_named == 1 ? t->a->named[0] : "");
}

static void report(const task *t)
{
	size_t n[3] = { 0 }, too = 0, left = 0;
	for (size_t i = 0; i < t->c.n; i++) {
		const kws_candidate *c = &t->c.all[i];
		too += c->n_too;
		if (!c->answered)
			left++;
		else
			n[!c->said ? 1 : strcmp(c->said, c->word) == 0 ? 0 : 2]++;
	}
	printf("%zu right, %zu wrong, %zu another word, %zu words besides; %zu not marked yet\n",
	       n[0], n[1], n[2], too, left);
	if (left)
		printf("kws eval and calibrate take a clip that is not marked for one without "
		       "words\n");
	else if (t->c.n && t->c.all[0].clip)
		print_next(t);
}

static int run_task(task *t)
{
	int status = kws_models_open(&t->models, &t->a->audio, &(kws_models_args){ 0 });
	if (status == KWS_EXIT_OK)
		status = t->a->events ? gather_events(t) : gather_clips(t);
	if (status != KWS_EXIT_OK)
		return status;
	kws_candidates_sort(&t->c);
	if (!read_labels(t))
		return KWS_EXIT_INPUT;
	kws_candidates_drop_told(&t->c);
	if (!t->a->player)
		kws_device_prepare();
	const kws_asking asking = { .n = t->c.n,
				    .player = t->a->player,
				    .must_play = true,
				    .answered = answered,
				    .show = show,
				    .take = take,
				    .ctx = t };
	const bool good = kws_ask(&asking);
	report(t);
	return good && !t->n_failed ? KWS_EXIT_OK : KWS_EXIT_INPUT;
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "DIR|CLIP...\n--events LIST [FILE...]",
	.doc = "Make truth files, a.tsv beside a.wav, by listening: each clip that kwsd kept, or "
	       "each "
	       "event of a recording, is played, and you say whether the word was said: y, n, or "
	       "another word. What was marked is kept, and not asked for again.",
};

int kws_cmd_label(int argc, char **argv)
{
	args a = { 0 };
	kws_args_parse(&argp, argc, argv, &a);

	task t = { .a = &a };
	const int status = run_task(&t);
	kws_source_close(t.src);
	kws_candidates_free(&t.c);
	kws_models_close(&t.models);
	return status;
}
