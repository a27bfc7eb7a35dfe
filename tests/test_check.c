/* kwsd -t: what it prints, what it refuses, what it warns of, and that it changes nothing. */
#define _POSIX_C_SOURCE 200809L
#include "tests/run_kwsd.h"

#include "tests/sockets.h"

#include <errno.h>
#include <sysexits.h>

static void expect_none(const char *part)
{
	if (strstr(err, part))
		fail_msg("it says \"%s\":\n%s", part, err);
}

/* What is in force is printed in the form of a configuration, and is one: it says the same of itself. */
static void test_prints_what_it_reads(void **state)
{
	static char first[MOST], text[2048];
	const char *model = in_dir("tiny.safetensors");

	(void)state;
	snprintf(text, sizeof text,
		 "[audio desk]\ndevice = raw:%s\n[audio door]\nenabled = no\n[model a]\npath = %s\n"
		 "[model b]\npath = %s\nafter = a\nwithin_s = 2.5\n[threshold b]\nyes = 0.25\n"
		 "[file]\npath = \"%s ;all\"\n",
		 in_dir("other.wav"), model, model, in_dir("events"));
	put_text("rich", text);
	use("kwsd");
	assert_int_equal(run_line("-t -c rich -o log.level=warning"), EX_OK);
	assert_non_null(strstr(out, "[audio door]\nenabled = no\n"));
	assert_non_null(strstr(out, "within_s = 2.5\n"));
	assert_non_null(strstr(out, "[threshold b]\nyes = 0.25\n"));
	assert_non_null(strstr(out, "level = warning\n"));
	strcpy(first, out);
	put_text("printed", first);
	assert_int_equal(run_line("-t -c printed"), EX_OK);
	assert_string_equal(out, first);
}

static void test_what_would_be_heard(void **state)
{
	char text[2048];

	(void)state;
	snprintf(text, sizeof text,
		 "[audio desk]\ndevice = raw:%s\n[audio door]\nenabled = no\n"
		 "[audio hall]\ndevice = raw:-\nmodels = a\n"
		 "[model a]\npath = %s\n[model b]\npath = %s\nafter = a\nwithin_s = 2.5\n",
		 in_dir("other.wav"), in_dir("tiny.safetensors"), in_dir("tiny.safetensors"));
	put_text("several", text);
	use("kwsd");
	assert_int_equal(run_line("-t -c several"), EX_OK);
	expect("[audio desk]: would hear with a: tiny ");
	expect("[audio desk]: would hear with b: tiny ");
	expect(", for 2.5 s after a: ");
	expect("[audio door]: is off");
	expect("[audio hall]: would hear with a: tiny ");
	expect_none("[audio hall]: would hear with b");
	expect_none("[audio door]: would hear");
	expect_none("kwsd would wait");
	expect("checked as ");
}

/* A microphone that is away now may come: status 0, and a warning. */
static void test_microphones_that_are_away(void **state)
{
	(void)state;
	assert_int_equal(KWSD("-t -d raw:%s", in_dir("none")), EX_OK);
	expect("warning: [audio] device: raw:");
	expect("No such file or directory; kwsd would wait for it");
	assert_int_equal(KWSD("-t -d raw:%s", dir), EX_OK);
	expect("is a folder");
	assert_int_equal(KWSD("-t -d no-such-microphone"), EX_OK);
	expect("warning: [audio] device: no-such-microphone");
}

static void test_what_the_start_would_refuse(void **state)
{
	char text[64];

	(void)state;
	assert_int_equal(KWSD("-t -m %s", in_dir("junk.wav")), EX_CONFIG);
	expect("junk.wav");
	assert_int_equal(KWSD("-t -o threshold.yse=0.5"), EX_CONFIG);
	expect("did you mean 'yes'?");
	assert_int_equal(KWSD("-t -o file.path=%s", dir), EX_CONFIG);
	expect("[file] path");
	assert_int_equal(KWSD("-t -o hook.command=%s", in_dir("conf")), EX_CONFIG);
	expect("[hook] command");
	put_text("plain", "kept");
	assert_int_equal(KWSD("-t -o socket.path=%s", in_dir("plain")), EX_CONFIG);
	expect("exists and is no socket");
	read_whole(in_dir("plain"), text, sizeof text);
	assert_string_equal(text, "kept");
}

/* Another kwsd may run: that is no fault, and it does not notice. */
static void test_sockets(void **state)
{
	(void)state;
	int fd = squat(in_dir("live"));
	assert_int_equal(KWSD("-t -o socket.path=%s -o control.path=%s -d raw:-", in_dir("live"),
			      in_dir("free")),
			 EX_OK);
	expect("[socket] path: ");
	expect("a process listens there");
	expect_none("free: a process");
	assert_int_equal(access(in_dir("live"), F_OK), 0);
	assert_int_equal(access(in_dir("free"), F_OK), -1); /* nothing is made */
	assert_int_equal(KWSD("-t -o control.path=%s -d raw:-", in_dir("live")), EX_OK);
	expect("[control] path: ");
	expect("a process listens there");
	close(fd); /* its name stays, as after a crash: kwsd would take it */
	assert_int_equal(KWSD("-t -o socket.path=%s -d raw:-", in_dir("live")), EX_OK);
	expect_none("a process listens there");
	unlink(in_dir("live"));
}

/* Folders of the service, which are there while it runs, and not everybody looks into. */
static void test_folders_of_the_service(void **state)
{
	char run_dir[64], sub[128];

	(void)state;
	snprintf(run_dir, sizeof run_dir, "/run/kwsd-test-%ld", (long)getpid());
	assert_int_equal(
		KWSD("-t -d raw:- -o socket.path=%s/s -o clips.dir=/var/lib/kwsd-test-%ld/clips",
		     run_dir, (long)getpid()),
		EX_OK);
	expect("[socket] path: ");
	expect("[clips] dir: ");
	expect("not checked: the folder is the service's, which makes it when it starts");
	if (geteuid() != 0 || mkdir(run_dir, 0755) != 0)
		return; /* only root makes one */
	assert_int_equal(KWSD("-t -d raw:- -o socket.path=%s/s", run_dir), EX_OK);
	expect_none("not checked");
	assert_int_equal(KWSD("-t -d raw:- -o socket.path=%s/none/s", run_dir), EX_CONFIG);
	expect("none/s: No such file or directory");
	assert_int_equal(KWSD("-t -d raw:- -o clips.dir=%s/clips", run_dir), EX_OK);
	expect("not checked");
	/* a folder in it that another user made, while the service is one of its own */
	snprintf(sub, sizeof sub, "%s/sub", run_dir);
	assert_int_equal(chown(run_dir, 4242, (gid_t)-1) | mkdir(sub, 0755), 0);
	assert_int_equal(KWSD("-t -d raw:- -o file.path=%s/f", sub), EX_OK);
	expect("is not the service's own, who may not write into it");
	assert_int_equal(chown(sub, 4242, (gid_t)-1), 0);
	assert_int_equal(KWSD("-t -d raw:- -o file.path=%s/f", sub), EX_OK);
	expect_none("is not the service's own");
	assert_int_equal(rmdir(sub) | rmdir(run_dir), 0);
}

/* Root may write where the service may not. */
static void test_as_whom(void **state)
{
	(void)state;
	assert_int_equal(KWSD("-t -d raw:- -o file.path=%s", in_dir("events")), EX_OK);
	if (geteuid() == 0) {
		expect("checked as root, who may do more");
		expect("[file] path: ");
		expect("ReadWritePaths=");
	} else {
		expect_none("ReadWritePaths=");
	}
	assert_int_equal(access(in_dir("events"), F_OK), -1);
}

static void test_no_room_for_the_answer(void **state)
{
	const char *argv[] = { "kwsd", "-t", "-c", in_dir("conf"), NULL };
	int full = open("/dev/full", O_WRONLY);
	child c;

	(void)state;
	assert_true(full >= 0);
	use("kwsd");
	c = start(argv, full);
	assert_int_equal(finish(&c, "", 0), EX_IOERR);
	expect("standard output: No space left on device");
	close(full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prints_what_it_reads),
		cmocka_unit_test(test_what_would_be_heard),
		cmocka_unit_test(test_microphones_that_are_away),
		cmocka_unit_test(test_what_the_start_would_refuse),
		cmocka_unit_test(test_sockets),
		cmocka_unit_test(test_folders_of_the_service),
		cmocka_unit_test(test_as_whom),
		cmocka_unit_test(test_no_room_for_the_answer),
	};

	return cmocka_run_group_tests(tests, set_up_kwsd, tear_down);
}
