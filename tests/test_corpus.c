/* What corpus/ returns: threads that do jobs, files below folders, problems and notes, confusion, predictions, recordings. */
#define _XOPEN_SOURCE 700
#include "corpus/confusion.h"
#include "corpus/predictions.h"
#include "corpus/recordings.h"
#include "tests/sound.h"
#include "tests/tiny_model.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <sndfile.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { JOBS = 200, RATE = 16000, N = 8 * RATE };

static char dir[] = "/tmp/kws-corpus-XXXXXX";
static float pcm[N];

/* ---- the thread pool ---- */

typedef struct {
	atomic_int begun, times[JOBS];
	atomic_int order[JOBS]; /* begun as which */
	atomic_bool busy[8], wrong;
	size_t n_workers;
} work;

static double do_job(void *ctx, size_t worker, size_t job)
{
	work *w = ctx;
	if (worker >= w->n_workers || atomic_exchange(&w->busy[worker], true))
		w->wrong = true; /* a worker does one at a time */
	w->order[job] = w->begun++;
	w->times[job]++;
	w->busy[worker] = false;
	return 0.5;
}

static void every_job_is_done_once(void **state)
{
	(void)state;
	for (size_t threads = 0; threads < 5; threads++) {
		static work w;
		kws_thread_pool *pool;
		kws_work_progress progress = { 0 };
		w = (work){ .n_workers = threads ? threads : 1 };
		assert_int_equal(kws_thread_pool_create(&pool, threads, JOBS, do_job, &w), KWS_OK);
		while (!kws_thread_pool_wait(pool, JOBS / 2, NULL))
			continue;
		assert_int_equal(w.times[JOBS / 2], 1);
		while (!kws_thread_pool_wait(pool, JOBS, &progress))
			continue;
		assert_false(w.wrong);
		assert_int_equal(progress.n_done, JOBS);
		assert_true(progress.audio_s == 0.5 * JOBS);
		for (int i = 0; i < JOBS; i++) {
			assert_int_equal(w.times[i], 1);
			if (threads < 2)
				assert_int_equal(w.order[i], i);
		}
		kws_thread_pool_destroy(pool);
	}
}

static void what_no_thread_has_begun_is_left(void **state)
{
	(void)state;
	static work w;
	kws_thread_pool *pool;
	w = (work){ .n_workers = 1 };
	assert_int_equal(kws_thread_pool_create(&pool, 0, JOBS, do_job, &w), KWS_OK);
	assert_true(kws_thread_pool_wait(pool, 0, NULL));
	kws_thread_pool_destroy(pool);
	assert_int_equal(w.begun, 1);
	assert_int_equal(kws_thread_pool_create(&pool, 3, 0, do_job, &w), KWS_OK);
	assert_true(kws_thread_pool_wait(pool, 0, NULL)); /* all of none */
	kws_thread_pool_destroy(pool);
	kws_thread_pool_destroy(NULL);
}

/* ---- problems and notes ---- */

static void problems_keep_their_order(void **state)
{
	(void)state;
	kws_problems all = { 0 }, more = { 0 };
	char text[32];
	for (int i = 0; i < 50; i++)
		kws_problems_add(i % 2 ? &more : &all, "%d of 50", i);
	kws_problems_add_of(&more, "a.wav", "no sound");
	kws_problems_add_of(&more, "a.wav", "a.wav: cut off");
	kws_problems_move(&all, &more);
	assert_int_equal(more.n, 0);
	assert_int_equal(all.n, 52);
	for (int i = 0; i < 50; i++) {
		snprintf(text, sizeof text, "%d of 50", i);
		assert_string_equal(all.text[i % 2 ? 25 + i / 2 : i / 2], text);
	}
	assert_string_equal(all.text[50], "a.wav: no sound");
	assert_string_equal(all.text[51], "a.wav: cut off");
	assert_int_equal(all.lost, 0);
	kws_problems_free(&all);
	assert_int_equal(all.n, 0);
}

/* One text a kind: of the first file in the list, whichever was heard first. */
static void notes_are_one_a_kind(void **state)
{
	(void)state;
	kws_notes notes = { { { 0 } } };
	kws_findings low = { .has[KWS_FLAW_LOW] = true, .loud_dbfs = -60.0 };
	kws_findings steady = { .has[KWS_FLAW_STEADY] = true, .loud_dbfs = -20.0 };
	kws_problems problems = { 0 };
	kws_notes_findings(&notes, 7, "seven.wav", &low, false);
	low.loud_dbfs = -70.0;
	kws_notes_findings(&notes, 2, "two.wav", &low, false);
	kws_notes_findings(&notes, 5, "five.wav", &low, false);
	kws_notes_findings(&notes, 0, "zero.wav", &steady, true); /* words did rise */
	kws_notes_report(&notes, &problems);
	assert_int_equal(problems.n, 1);
	assert_memory_equal(problems.text[0], "two.wav: very quiet", 19);
	assert_non_null(strstr(problems.text[0], "-70 dBFS"));
	assert_non_null(strstr(problems.text[0], "(and 2 more files)"));
	kws_problems_free(&problems);
}

/* ---- files ---- */

static const char *in_dir(const char *name)
{
	static char path[8][256];
	static size_t next;
	char *to = path[next++ % 8];
	snprintf(to, sizeof path[0], "%s/%s", dir, name);
	return to;
}

static void put_sound(const char *name, size_t n, unsigned seed)
{
	SF_INFO info = { .samplerate = RATE, .channels = 1 };
	info.format = SF_FORMAT_WAV | SF_FORMAT_PCM_16;
	SNDFILE *f = sf_open(in_dir(name), SFM_WRITE, &info);
	assert_non_null(f);
	sound(pcm, n, RATE, seed);
	assert_int_equal(sf_write_float(f, pcm, (sf_count_t)n), n);
	assert_int_equal(sf_close(f), 0);
}

static void put_text(const char *name, const char *text)
{
	FILE *f = fopen(in_dir(name), "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static int set_up(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(dir));
	mkdir(in_dir("tree"), 0755);
	mkdir(in_dir("tree/b"), 0755);
	mkdir(in_dir("tree/a"), 0755);
	mkdir(in_dir("empty"), 0755);
	put_sound("tree/b/1.WAV", 3 * RATE, 1);
	put_sound("tree/a/2.wav", 3 * RATE / 2, 2);
	put_sound("tree/3.wav", N, 3);
	put_text("tree/a/2.tsv", "0.2\t0.5\tyes\n0.7\t0.9\tNO\n0.9\t1\tmaybe\n90\t91\tno\n");
	put_text("tree/readme.txt", "no sound");
	assert_int_equal(symlink("..", in_dir("tree/b/up")), 0);
	assert_int_equal(mkfifo(in_dir("tree/pipe.wav"), 0600), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	char command[300];
	snprintf(command, sizeof command, "rm -rf -- '%s'", dir);
	return system(command);
}

static kws_files tree(kws_problems *problems)
{
	kws_files f = { 0 };
	assert_true(kws_files_add(&f, in_dir("tree"), problems));
	return f;
}

static void folders_are_the_sounds_below_them(void **state)
{
	(void)state;
	kws_problems problems = { 0 };
	kws_files f = tree(&problems);
	/* by their bytes; no link to a folder, no pipe, no text */
	assert_int_equal(f.n, 3);
	assert_string_equal(f.path[0], in_dir("tree/3.wav"));
	assert_string_equal(f.path[1], in_dir("tree/a/2.wav"));
	assert_string_equal(f.path[2], in_dir("tree/b/1.WAV"));
	/* what is named is taken as it is: opening it tells */
	assert_true(kws_files_add(&f, in_dir("nowhere.wav"), &problems));
	assert_true(kws_files_add(&f, "-", &problems));
	assert_int_equal(f.n, 5);
	assert_int_equal(problems.n, 0);
	assert_false(kws_files_add(&f, in_dir("empty"), &problems));
	assert_int_equal(problems.n, 1);
	assert_non_null(strstr(problems.text[0], "empty: no audio files in this folder"));
	kws_problems_free(&problems);
	kws_files_free(&f);
}

/* ---- clips and recordings ---- */

static enum kws_status open_file(const void *ctx, kws_source **out, const char *path,
				 kws_error *err)
{
	(void)ctx;
	return kws_source_open_path(out, path, NULL, 0, err);
}

static void classify_alone(const kws_model *m, const char *path, float *prob)
{
	kws_classifier *c;
	kws_source *src;
	size_t got;
	assert_int_equal(open_file(NULL, &src, path, NULL), KWS_OK);
	assert_int_equal(kws_classifier_create(&c, m, RATE, false, NULL), KWS_OK);
	do {
		assert_int_equal(kws_source_read(src, pcm, N, &got, NULL), KWS_OK);
		kws_classifier_process(c, pcm, got);
	} while (got);
	kws_classifier_finish(c, prob);
	kws_classifier_destroy(c);
	kws_source_close(src);
}

static void predictions_are_the_classifiers(void **state)
{
	(void)state;
	static const double seconds[] = { 8.0, 1.5, 3.0 };
	kws_problems problems = { 0 };
	kws_files f = tree(&problems);
	kws_model *m = tiny_model_open(&tiny_default);
	assert_true(kws_files_add(&f, in_dir("nowhere.wav"), &problems));
	for (size_t threads = 0; threads < 4; threads++) {
		kws_predictions *p;
		assert_int_equal(kws_predictions_create(&p, m, &f, (kws_opener){ open_file, NULL },
							false, threads),
				 KWS_OK);
		for (size_t i = 0; i < f.n; i++) {
			float want[TINY_WORDS];
			const kws_prediction *one;
			while (!(one = kws_predictions_wait(p, i, NULL)))
				continue;
			assert_string_equal(one->path, f.path[i]);
			if (i == 3) {
				assert_int_equal(one->status, KWS_ERR_IO);
				assert_non_null(strstr(one->error, "nowhere.wav"));
				continue;
			}
			classify_alone(m, f.path[i], want);
			assert_int_equal(one->status, KWS_OK);
			assert_memory_equal(one->prob, want, sizeof want);
			assert_true(one->seconds == seconds[i]);
		}
		kws_predictions_destroy(p);
	}
	kws_model_close(m);
	kws_files_free(&f);
}

static size_t shown;

static void show(void *ctx, size_t n_done, double audio_s)
{
	(void)ctx;
	assert_true(n_done <= 4 && audio_s <= 12.5);
	shown++;
}

static void recordings_are_what_could_be_heard(void **state)
{
	(void)state;
	kws_problems problems = { 0 };
	kws_files f = tree(&problems);
	tiny_config waits = tiny_default;
	waits.wait_ms = 300;
	kws_model *m = tiny_model_open(&waits);
	kws_recordings r;
	const kws_hear_config config = { .opener = { open_file, NULL },
					 .n_threads = 0, /* here: progress after each */
					 .smooth_ms = -1,
					 .refractory_ms = 700,
					 .progress = show };
	assert_true(kws_files_add(&f, in_dir("nowhere.wav"), &problems));
	assert_int_equal(kws_recordings_hear(&r, m, &f, &config, &problems), KWS_OK);
	assert_true(shown >= 3);
	assert_int_equal(r.material.n, 3);
	assert_int_equal(r.failed, 1);
	assert_int_equal(r.n_said, 3); /* maybe is no word of the model */
	assert_int_equal(r.material.smooth_ms, kws_model_decision(m)->smooth_ms);
	assert_int_equal(r.material.refractory_ms, 700);
	assert_int_equal(r.material.wait_ms, 300);
	const kws_recording *one = &r.recording[1];
	assert_true(one->labelled && one->n_said == 3);
	assert_true(one->said[1].start == 0.7 && one->said[1].end == 0.9);
	assert_int_equal(one->said[1].word, kws_model_word_index(m, "no"));
	assert_int_equal(one->n_frames, 75); /* of 20 ms */
	assert_int_equal(r.recording[0].n_frames, 400);
	assert_int_equal(problems.n, 4);
	assert_non_null(strstr(problems.text[0], "2.tsv:4: 1 words begin after the end"));
	assert_non_null(strstr(problems.text[1], "nowhere.wav: No such file"));
	assert_non_null(strstr(problems.text[2], "'NO' as 'no'"));
	assert_non_null(strstr(problems.text[3], "1 words are not in tiny and count as not said"));
	kws_recordings_free(&r);
	kws_problems_free(&problems);
	kws_model_close(m);
	kws_files_free(&f);
}

static void confusion_counts(void **state)
{
	(void)state;
	kws_confusion c;
	assert_int_equal(kws_confusion_init(&c, 3), KWS_OK);
	kws_confusion_add(&c, 0, 0);
	kws_confusion_add(&c, 0, 2);
	kws_confusion_add(&c, 2, 2);
	kws_confusion_add(&c, 3, 1); /* a word that has no class: never right */
	assert_int_equal(kws_confusion_at(&c, 0, 2), 1);
	assert_int_equal(kws_confusion_at(&c, 2, 0), 0);
	assert_int_equal(kws_confusion_expected(&c, 0), 2);
	assert_int_equal(kws_confusion_hits(&c, 0), 1);
	assert_int_equal(kws_confusion_hits(&c, 3), 0);
	assert_int_equal(kws_confusion_total(&c), 4);
	assert_int_equal(kws_confusion_correct(&c), 2);
	kws_confusion_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_job_is_done_once),
		cmocka_unit_test(what_no_thread_has_begun_is_left),
		cmocka_unit_test(problems_keep_their_order),
		cmocka_unit_test(notes_are_one_a_kind),
		cmocka_unit_test(folders_are_the_sounds_below_them),
		cmocka_unit_test(predictions_are_the_classifiers),
		cmocka_unit_test(recordings_are_what_could_be_heard),
		cmocka_unit_test(confusion_counts),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
