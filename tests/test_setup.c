/* Reload: what is built is seen by nobody before the swap, and what was refused leaves all as it
 * was, with each sink alone and all together. */
#include "tests/sinks.h"
#include "tests/sockets.h"
#include "tests/tiny_model.h"

#include "daemon/setup.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

enum { FILE_SINK = 1, SOCKET_SINK = 2, HOOK_SINK = 4, CLIPS = 8, STDOUT_SINK = 16, ALL = 31 };

static const char *put(const char *name, const char *text, mode_t mode)
{
	const char *path = in_dir(name);
	FILE *f = fopen(path, "w");

	fputs(text, f);
	fclose(f);
	chmod(path, mode);
	return path;
}

static void put_model(const char *name, unsigned seed)
{
	tiny_config cfg = tiny_default;
	size_t len;

	cfg.seed = seed;
	void *blob = tiny_model_bytes(&cfg, &len);
	FILE *f = fopen(in_dir(name), "wb");
	assert_int_equal(fwrite(blob, 1, len, f), len);
	fclose(f);
	free(blob);
}

/* The configuration with these sinks; which: another file, socket and hook for another letter. */
static void conf_of(kws_conf *c, unsigned sinks, char which)
{
	kws_conf_defaults(c);
	c->out.enabled = sinks & STDOUT_SINK ? KWS_YES : KWS_NO;
	c->journal.enabled = KWS_NO;
	snprintf(c->model[0].path, sizeof c->model[0].path, "%s/model", dir);
	if (sinks & FILE_SINK)
		snprintf(c->file[0].path, sizeof c->file[0].path, "%s/%c.events", dir, which);
	if (sinks & SOCKET_SINK)
		snprintf(c->socket[0].path, sizeof c->socket[0].path, "%s/%c.sock", dir, which);
	if (sinks & HOOK_SINK)
		snprintf(c->hook[0].command, sizeof c->hook[0].command, "%s/hook", dir);
	if (sinks & CLIPS)
		snprintf(c->clips.dir, sizeof c->clips.dir, "%s/clips", dir);
}

static void ignore(void *ctx, const kws_report *r, bool near)
{
	(void)ctx;
	(void)r;
	(void)near;
}

static const kws_control_ops no_ops; /* nobody connects */

static bool swap(kws_setup *next, kws_running *now)
{
	static const kws_observer to = { .report = ignore }; /* nothing is heard here */
	kws_listener *gone[KWS_CONF_AUDIOS];
	const bool all = kws_setup_swap(next, now, &to, gone, 1000);

	for (size_t i = 0; i < KWS_CONF_AUDIOS && gone[i]; i++)
		kws_listener_retire(gone[i]);
	return all;
}

static void start(kws_running *now, unsigned sinks)
{
	static kws_setup s; /* large */
	kws_error err = { "" };
	int keep = dup(STDOUT_FILENO), null = open("/dev/null", O_WRONLY);

	memset(now, 0, sizeof *now);
	conf_of(&s.conf, sinks, 'a');
	fflush(stdout);
	dup2(null, STDOUT_FILENO); /* the sink keeps a copy */
	enum kws_status status = kws_setup_build(&s, NULL, &err);
	dup2(keep, STDOUT_FILENO);
	close(keep);
	close(null);
	if (status != KWS_OK || kws_setup_open(&s, &err) != KWS_OK)
		fail_msg("%s", err.text);
	now->sinks = s.sinks;
	assert_int_equal(kws_control_create(&now->control, &no_ops, NULL, &err), KWS_OK);
	assert_true(swap(&s, now));
}

static void end(kws_running *now)
{
	for (size_t i = 0; i < KWS_CONF_AUDIOS; i++)
		kws_listener_destroy(now->listener[i], 1000);
	kws_clips_stop(now->clips, 1000, true);
	kws_sinks_stop(now->sinks, 1000);
	kws_control_stop(now->control, 0);
	kws_models_release(&now->models);
}

/* All that others see in the folder: names, inodes, modes, sizes, times. */
static void look(char *text, size_t n)
{
	struct dirent **list;
	int count = scandir(dir, &list, NULL, alphasort);
	size_t at = 0;

	for (int i = 0; i < count; i++) {
		const char *path = in_dir(list[i]->d_name);
		struct stat st;

		/* the folder's own times tell of a name that came and went: allowed */
		if (list[i]->d_name[0] != '.' && lstat(path, &st) == 0)
			at += (size_t)snprintf(text + at, n - at, "%s %lu %o %ld %ld\n",
					       list[i]->d_name, (unsigned long)st.st_ino,
					       (unsigned)st.st_mode, (long)st.st_size,
					       (long)st.st_mtim.tv_nsec);
		free(list[i]);
	}
	free(list);
}

static void expect_line(int fd)
{
	char text[4096];
	ssize_t n = recv(fd, text, sizeof text, 0);

	assert_true(n > 1 && text[n - 1] == '\n');
}

/* What a sink has taken since it was made; -1: there is none. */
static long taken(const kws_running *now, const char *kind)
{
	kws_sink_stats st;

	for (size_t i = 0; kws_sinks_stats(now->sinks, i, &st); i++)
		if (!strcmp(st.kind, kind))
			return (long)st.taken;
	return -1;
}

/* Everything still works: old readers and new ones, the file. */
static void check_alive(kws_running *now, unsigned sinks, int reader)
{
	kws_report r = event(1);
	unsigned lines = 0;
	int another = -1;

	if (sinks & FILE_SINK)
		lines = count_lines(slurp(now->conf.file[0].path));
	if (sinks & SOCKET_SINK) {
		another = visit(now->conf.socket[0].path);
		kws_sinks_serve(now->sinks);
	}
	kws_sinks_push(now->sinks, &r);
	if (sinks & SOCKET_SINK) {
		expect_line(reader);
		expect_line(another);
		close(another);
		kws_sinks_serve(now->sinks);
	}
	if (sinks & FILE_SINK)
		UNTIL(count_lines(slurp(now->conf.file[0].path)) == lines + 1);
}

/* One thing that makes a reload impossible. */
static void spoil(kws_conf *c, unsigned what)
{
	switch (what) {
	case 0: snprintf(c->model[0].path, sizeof c->model[0].path, "%s/none", dir); break;
	case 1: snprintf(c->file[0].path, sizeof c->file[0].path, "%s/none/x", dir); break;
	case 2: snprintf(c->socket[0].path, sizeof c->socket[0].path, "%s/none/x", dir); break;
	case 3: snprintf(c->socket[0].group, sizeof c->socket[0].group, "no-such-group"); break;
	case 4: snprintf(c->hook[0].command, sizeof c->hook[0].command, "%s/none", dir); break;
	case 5: snprintf(c->clips.dir, sizeof c->clips.dir, "%s/none", dir); break;
	default: snprintf(c->socket[0].path, sizeof c->socket[0].path, "%s/model", dir); break;
	}
}

static void refuse_each(unsigned sinks)
{
	static kws_running now;
	static kws_setup next;
	kws_error err = { "" };
	char before[8192], after[8192];
	int reader = -1;

	start(&now, sinks);
	if (sinks & SOCKET_SINK) {
		reader = visit(now.conf.socket[0].path);
		kws_sinks_serve(now.sinks);
	}
	look(before, sizeof before);
	for (unsigned what = 0; what < 7; what++)
		for (char which = 'a'; which <= 'b'; which++) {
			conf_of(&next.conf, ALL & ~STDOUT_SINK, which);
			next.conf.file[0].mode = 0600; /* so that each sink is another */
			next.conf.socket[0].mode = 0600;
			next.conf.hook[0].queue = 3;
			spoil(&next.conf, what);
			assert_int_not_equal(kws_setup_build(&next, &now, &err), KWS_OK);
			look(after, sizeof after);
			assert_string_equal(after, before);
		}
	check_alive(&now, sinks, reader);
	/* one that is fine, but comes too late */
	look(before, sizeof before);
	conf_of(&next.conf, ALL & ~STDOUT_SINK, 'b');
	assert_int_equal(kws_setup_build(&next, &now, NULL), KWS_OK);
	kws_setup_drop(&next);
	look(after, sizeof after);
	assert_string_equal(after, before);
	check_alive(&now, sinks, reader);
	close(reader);
	end(&now);
	unlink(in_dir("a.events"));
}

static void test_refused_reload(void **state)
{
	(void)state;
	for (unsigned one = 1; one <= ALL; one *= 2)
		refuse_each(one);
	refuse_each(ALL);
	refuse_each(0);
}

/* What does not change is kept; what does is replaced; readers stay. */
static void test_reload(void **state)
{
	static kws_running now;
	static kws_setup next;

	(void)state;
	start(&now, ALL & ~STDOUT_SINK);
	int reader = visit(now.conf.socket[0].path);
	kws_sinks_serve(now.sinks);
	check_alive(&now, FILE_SINK | SOCKET_SINK, reader);

	conf_of(&next.conf, ALL & ~STDOUT_SINK, 'a');
	next.conf.hook[0].queue = 3;
	assert_int_equal(kws_setup_build(&next, &now, NULL), KWS_OK);
	assert_null(next.engine[0][0]); /* the same weights */
	assert_true(swap(&next, &now));
	assert_int_equal(taken(&now, "file"), 1); /* those that were */
	assert_int_equal(taken(&now, "socket"), 1);
	assert_int_equal(taken(&now, "hook"), 0); /* another one */
	assert_int_equal(now.conf.hook[0].queue, 3);
	check_alive(&now, FILE_SINK | SOCKET_SINK, reader);

	conf_of(&next.conf, FILE_SINK | SOCKET_SINK, 'b');
	put_model("model", 2);
	assert_int_equal(kws_setup_build(&next, &now, NULL), KWS_OK);
	assert_non_null(next.engine[0][0]);
	assert_true(swap(&next, &now));
	assert_int_equal(taken(&now, "hook"), -1);
	assert_int_equal(access(in_dir("a.sock"), F_OK), -1);
	check_alive(&now, FILE_SINK | SOCKET_SINK, reader);
	close(reader);
	end(&now);
	unlink(in_dir("a.events"));
	unlink(in_dir("b.events"));
}

/* A name that was free at the check and is not at the swap: that sink stays, and the next reload
 * tries again. */
static void test_swap_that_fails(void **state)
{
	static kws_running now;
	static kws_setup next;

	(void)state;
	start(&now, FILE_SINK | SOCKET_SINK);
	int reader = visit(now.conf.socket[0].path);
	kws_sinks_serve(now.sinks);
	conf_of(&next.conf, FILE_SINK | SOCKET_SINK, 'b');
	assert_int_equal(kws_setup_build(&next, &now, NULL), KWS_OK);
	int theirs = squat(next.conf.socket[0].path);
	assert_false(swap(&next, &now));
	assert_int_equal(access(in_dir("b.events"), F_OK), 0);
	snprintf(now.conf.socket[0].path, sizeof now.conf.socket[0].path, "%s", in_dir("a.sock"));
	check_alive(&now, FILE_SINK | SOCKET_SINK, reader);
	close(theirs);
	unlink(in_dir("b.sock"));

	conf_of(&next.conf, FILE_SINK | SOCKET_SINK, 'b');
	assert_int_equal(kws_setup_build(&next, &now, NULL), KWS_OK);
	assert_true(swap(&next, &now));
	assert_string_equal(now.conf.socket[0].path, in_dir("b.sock"));
	check_alive(&now, FILE_SINK | SOCKET_SINK, reader);
	close(reader);
	end(&now);
}

/* ---- listeners and models ---- */

/* audio and models: letters, each a section of that name; a model's file is "model" but for 'o', which is
 * "other". Each model is gated by the letter before it in gates, "xy": x after y. */
static void lists_of(kws_conf *c, const char *audio, const char *models, const char *gates)
{
	conf_of(c, 0, 'a');
	c->n_audio = strlen(audio);
	c->n_model = strlen(models);
	for (size_t i = 0; i < c->n_audio; i++) {
		c->audio[i] = c->audio[0];
		c->audio[i].name[0] = audio[i];
		c->audio[i].enabled = KWS_NO; /* nothing is opened */
	}
	for (size_t i = 0; i < c->n_model; i++) {
		c->model[i] = (kws_conf_model){ .name = { models[i] }, .within_s = 5.0f };
		snprintf(c->model[i].path, sizeof c->model[i].path, "%s/%s", dir,
			 models[i] == 'o' ? "other" : "model");
		for (const char *g = gates; *g; g += 2)
			if (g[0] == models[i])
				c->model[i].after[0] = g[1];
	}
}

static void reload(kws_running *now, const char *audio, const char *models, const char *gates)
{
	static kws_setup next;
	kws_error err = { "" };

	lists_of(&next.conf, audio, models, gates);
	if (kws_setup_build(&next, now, &err) != KWS_OK)
		fail_msg("%s", err.text);
	assert_true(swap(&next, now));
}

static kws_engine *engine_of(const kws_running *now, size_t audio, const char *model)
{
	return kws_hearing_engine(kws_listener_hearing(now->listener[audio]), model);
}

static void test_lists(void **state)
{
	static kws_running now;

	(void)state;
	put_model("model", 1);
	put_model("other", 2);
	start(&now, 0);
	reload(&now, "kd", "mno", "no");
	kws_listener *k = now.listener[0], *d = now.listener[1];
	kws_engine *km = engine_of(&now, 0, "m"), *kn = engine_of(&now, 0, "n"),
		   *dm = engine_of(&now, 1, "m"), *ko = engine_of(&now, 0, "o");
	assert_non_null(kn);
	assert_string_equal(kws_listener_name(d), "d");
	/* one model, however many hear it and whatever it is called */
	assert_ptr_equal(kws_engine_model(km), kws_engine_model(dm));
	assert_ptr_equal(kws_engine_model(km), kws_engine_model(kn));
	assert_ptr_not_equal(kws_engine_model(km), kws_engine_model(ko));

	/* one more listener, in another order; one more model, one gate less: only that is new */
	reload(&now, "xdk", "mnop", "");
	assert_ptr_equal(now.listener[2], k);
	assert_ptr_equal(now.listener[1], d);
	assert_ptr_equal(engine_of(&now, 2, "m"), km);
	assert_ptr_equal(engine_of(&now, 1, "m"), dm);
	assert_ptr_equal(engine_of(&now, 2, "o"), ko);
	assert_string_equal(kws_engine_after(engine_of(&now, 2, "n")), "");
	assert_non_null(engine_of(&now, 2, "p"));
	assert_non_null(engine_of(&now, 0, "p"));
	assert_ptr_equal(kws_engine_model(engine_of(&now, 0, "p")), kws_engine_model(km));

	/* another content: another engine; the rest stays, and so does the model that it hears with */
	put_model("other", 3);
	reload(&now, "k", "om", "");
	assert_ptr_equal(now.listener[0], k);
	assert_null(now.listener[1]);
	assert_ptr_equal(engine_of(&now, 0, "m"), km);
	assert_string_equal(kws_model_name(kws_engine_model(km)), "tiny");
	assert_null(engine_of(&now, 0, "n"));
	assert_ptr_equal(kws_engine_shared(engine_of(&now, 0, "o")), now.models.model[0]);
	end(&now);
}

static int setup_all(void **state)
{
	if (setup(state) != 0)
		return -1;
	put_model("model", 1);
	put("hook", "#!/bin/sh\n", 0755);
	return mkdir(in_dir("clips"), 0700);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused_reload),
		cmocka_unit_test(test_reload),
		cmocka_unit_test(test_swap_that_fails),
		cmocka_unit_test(test_lists),
	};

	return cmocka_run_group_tests(tests, setup_all, teardown);
}
