/* The parts of kwsd-web that need no network: who may ask, the ring of messages, clips, addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "gateway/sockets.h"
#include "gateway/web/access.h"
#include "gateway/web/clip.h"
#include "gateway/web/fanout.h"
#include "gateway/web/page.h"
#include "gateway/web/sockets.h"
#include "gateway/web/textfile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- access ---- */

#define TOKEN "0123456789abcdef"

static kws_access open_one = { .hosts = "kws.example.org other", .machine = "kitchen" };
static kws_access closed = { .token = TOKEN, .hosts = "", .machine = "kitchen" };

static unsigned ask(const kws_access *a, kws_access_request r)
{
	const char *why = NULL;
	const unsigned status = kws_access_check(a, &r, &why);

	assert_true(!status == !why);
	return status;
}

static void test_host(void **state)
{
	static const char *const good[] = { "localhost",  "LOCALHOST:8591",  "127.0.0.1:8591",
					    "[::1]:8591", "[::1]",	     "192.168.1.20",
					    "kitchen",	  "Kitchen.local:1", "kws.example.org",
					    "other:65535" };
	static const char *const bad[] = { "evil.example.org",
					   "kitchen.evil.org",
					   "kitchen.",
					   "",
					   ":8591",
					   "127.0.0.1:",
					   "127.0.0.1:x",
					   "127.0.0.1:123456",
					   "[::1",
					   "[::1]x",
					   "::1",
					   "a b",
					   "localhost/",
					   "127.0.0.1.evil.org",
					   "kws.example.or",
					   "localhost@x",
					   "kws.example.org other" };

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		if (ask(&open_one, (kws_access_request){ .host = good[i], .local = true }))
			fail_msg("refused: %s", good[i]);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (ask(&open_one, (kws_access_request){ .host = bad[i], .local = true }) != 421)
			fail_msg("taken: %s", bad[i]);
	assert_int_equal(ask(&open_one, (kws_access_request){ .local = true }), 400);
	char name[300];
	memset(name, 'a', sizeof name);
	name[sizeof name - 1] = 0;
	assert_int_equal(ask(&open_one, (kws_access_request){ .host = name, .local = true }), 421);
}

static void test_origin(void **state)
{
	const kws_access_request here = { .host = "localhost:8591", .local = true };
	kws_access_request r = here;

	(void)state;
	r.origin = "http://localhost:8591";
	assert_int_equal(ask(&open_one, r), 0);
	r.origin = "https://LOCALHOST:8591"; /* a proxy with TLS */
	assert_int_equal(ask(&open_one, r), 0);
	static const char *const other[] = { "null",
					     "http://localhost",
					     "http://localhost:8592",
					     "",
					     "ftp://localhost:8591",
					     "http://evil.org",
					     "x://http://localhost:8591" };
	for (size_t i = 0; i < sizeof other / sizeof other[0]; i++) {
		r.origin = other[i];
		if (ask(&open_one, r) != 403)
			fail_msg("taken: %s", other[i]);
	}
	r = here;
	r.site = "cross-site";
	assert_int_equal(ask(&open_one, r), 403);
	r.page = true; /* a link to the page */
	assert_int_equal(ask(&open_one, r), 0);
	r.origin = "http://evil.org"; /* but no frame or fetch of it */
	assert_int_equal(ask(&open_one, r), 403);
	r = here;
	r.site = "same-origin";
	assert_int_equal(ask(&open_one, r), 0);
	r.site = "same-site";
	assert_int_equal(ask(&open_one, r), 403);
}

static void test_without_token(void **state)
{
	kws_access_request r = { .host = "192.168.1.20" };

	(void)state;
	assert_int_equal(ask(&open_one, r), 403);
	r.local = true;
	assert_int_equal(ask(&open_one, r), 0);
	r.proxied = true;
	assert_int_equal(ask(&open_one, r), 403);
}

static void test_with_token(void **state)
{
	static const char *const good[] = {
		"Bearer " TOKEN, "bearer " TOKEN, "Basic OjAxMjM0NTY3ODlhYmNkZWY=", /* ":TOKEN" */
		"basic a3dzOjAxMjM0NTY3ODlhYmNkZWY=", /* "kws:TOKEN" */
	};
	static const char *const bad[] = { "",
					   TOKEN,
					   "Bearer",
					   "Bearer ",
					   "Bearer 0123456789abcde",
					   "Bearer 0123456789abcdef0",
					   "Bearer 0123456789abcdeg",
					   "Basic ",
					   "Basic a3dz",		     /* no colon */
					   "Basic MDEyMzQ1Njc4OWFiY2RlZjo=", /* the name is it */
					   "Basic =====",
					   "Basic a3dzOjAxMjM0NTY3ODlhYmNkZWY", /* not whole */
					   ("Digest " TOKEN) };
	kws_access_request r = { .host = "192.168.1.20", .local = true };
	char *large = malloc(20000);

	(void)state;
	assert_int_equal(ask(&closed, r), 401);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		r.authorization = bad[i];
		if (ask(&closed, r) != 401)
			fail_msg("taken: %s", bad[i]);
	}
	memset(large, 'A', 20000);
	large[19999] = 0;
	memcpy(large, "Basic ", 6);
	r.authorization = large;
	assert_int_equal(ask(&closed, r), 401);
	memcpy(large, "Bearer ", 7);
	assert_int_equal(ask(&closed, r), 401);
	free(large);
	r.local = false;
	r.proxied = true;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		r.authorization = good[i];
		if (ask(&closed, r))
			fail_msg("refused: %s", good[i]);
	}
}

static void test_token_file(void **state)
{
	char token[KWS_ACCESS_TOKEN + 1], text[KWS_ACCESS_TOKEN + 2];

	(void)state;
	assert_true(kws_access_token(TOKEN "\n", 17, token));
	assert_string_equal(token, TOKEN);
	assert_false(kws_access_token(TOKEN, 15, token));
	assert_false(kws_access_token("0123456789 abcdef", 17, token));
	assert_false(kws_access_token("0123456789\nabcdef", 17, token));
	assert_false(kws_access_token("0123456789abcde\xc3\xa4", 17, token));
	assert_false(kws_access_token("", 0, token));
	memset(text, 'x', sizeof text);
	assert_true(kws_access_token(text, KWS_ACCESS_TOKEN, token));
	assert_false(kws_access_token(text, KWS_ACCESS_TOKEN + 1, token));
}

/* ---- the ring ---- */

static void test_readers_at_their_own_pace(void **state)
{
	kws_fanout *f;
	char text[16], all[4096] = "", slow[4096] = "";
	uint64_t fast = 0, at = 0, lost = 0;
	ssize_t n;

	(void)state;
	assert_int_equal(kws_fanout_create(&f, 256, NULL), KWS_OK);
	for (int i = 0; i < 100; i++) {
		const int len = snprintf(text, sizeof text, "%d;", i * i);

		kws_fanout_put(f, text, (size_t)len);
		strcat(all, text);
		while ((n = kws_fanout_read(f, &fast, text, sizeof text)) > 0)
			assert_memory_equal(text, all + fast - (uint64_t)n, (size_t)n);
		assert_int_equal(n, 0);
		if (i % 20 == 19)
			while ((n = kws_fanout_read(f, &at, text, 7)) > 0)
				strncat(slow, text, (size_t)n);
	}
	assert_int_equal(fast, kws_fanout_end(f));
	assert_string_equal(slow, all); /* never more than 20 messages behind */
	assert_int_equal(kws_fanout_read(f, &lost, text, sizeof text), -1);
	lost = kws_fanout_end(f) - 256; /* all of the ring is still there */
	assert_true(kws_fanout_read(f, &lost, text, 1) == 1);
	kws_fanout_put(f, "x", 1);
	kws_fanout_put(f, "y", 1);
	assert_int_equal(kws_fanout_read(f, &lost, text, 1), -1);
	kws_fanout_destroy(f);
}

/* ---- clips ---- */

static void test_clip_names(void **state)
{
	static const char *const good[] = { "20261126T060102.345Z-yes-98.wav",
					    "20261126T060102.345Z-kitchen-hey_jarvis-07-near.wav" };
	static const char *const bad[] = { "",
					   "yes.wav",
					   "20261126T060102.345Z-yes-98.wav/",
					   "20261126T060102.345Z-../../../etc/x.wav",
					   "../20261126T060102.345Z-yes-98.wav",
					   "20261126T060102.345Z-yes-98.wav.part",
					   ".20261126T060102.345Z-yes-98.wav",
					   "20261126T060102.345Z-yes-98",
					   "20261126T060102.345Z-y s-98.wav",
					   "20261126T060102.345Z-%2e%2e.wav",
					   "20261126T060102.345Z-y\\s.wav",
					   "2026112aT060102.345Z-yes-98.wav",
					   "20261126T060102.345Z-.wav" };
	char longest[200];

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		if (!kws_clip_is_name(good[i]))
			fail_msg("refused: %s", good[i]);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (kws_clip_is_name(bad[i]))
			fail_msg("taken: %s", bad[i]);
	memset(longest, 'x', sizeof longest);
	memcpy(longest, good[0], 21);
	strcpy(longest + 195, ".wav");
	assert_false(kws_clip_is_name(longest));
}

static void test_only_files_of_the_folder(void **state)
{
	static const char name[] = "20261126T060102.345Z-yes-98.wav",
			  link[] = "20261126T060102.345Z-link-98.wav",
			  folder[] = "20261126T060102.345Z-dir-98.wav",
			  pipe[] = "20261126T060102.345Z-pipe-98.wav";
	char dir[] = "/tmp/kws-clip.XXXXXX", path[128];
	off_t size;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/%s", dir, name);
	FILE *f = fopen(path, "w");
	fputs("RIFF", f);
	fclose(f);
	fd = kws_clip_open(dir, name, &size);
	assert_true(fd >= 0 && size == 4);
	close(fd);
	snprintf(path, sizeof path, "%s/%s", dir, link);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_int_equal(kws_clip_open(dir, link, &size), -1);
	unlink(path);
	snprintf(path, sizeof path, "%s/%s", dir, folder);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(kws_clip_open(dir, folder, &size), -1);
	rmdir(path);
	snprintf(path, sizeof path, "%s/%s", dir, pipe);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(kws_clip_open(dir, pipe, &size), -1);
	unlink(path);
	assert_int_equal(kws_clip_open(dir, "20261126T060102.345Z-away-98.wav", &size), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(kws_clip_open("/nowhere", name, &size), -1);
	snprintf(path, sizeof path, "%s/%s", dir, name);
	unlink(path);
	rmdir(dir);
}

/* ---- addresses ---- */

static void test_addresses(void **state)
{
	static const struct {
		const char *text;
		bool local;
	} good[] = { { "127.0.0.1:8591", true },
		     { "127.9.9.9:1", true },
		     { "[::1]:8591", true },
		     { "0.0.0.0:8591", false },
		     { "[::]:65535", false },
		     { "10.0.0.1:80", false },
		     { "[::ffff:127.0.0.1]:80", true },
		     { "[::ffff:10.0.0.1]:80", false } };
	static const char *const bad[] = {
		"",	 "127.0.0.1",	    "127.0.0.1:",     "127.0.0.1:0",
		":80",	 "127.0.0.1:65536", "127.0.0.1:8x",   "::1:80",
		"[::1]", "localhost:80",    "[127.0.0.1]:80", "1.2.3:80",
		"[]:80"
	};
	struct sockaddr_storage a;
	socklen_t len;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		if (!kws_web_address_read(good[i].text, &a, &len))
			fail_msg("refused: %s", good[i].text);
		if (kws_sockets_is_local((struct sockaddr *)&a) != good[i].local)
			fail_msg("local? %s", good[i].text);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (kws_web_address_read(bad[i], &a, &len))
			fail_msg("taken: %s", bad[i]);
}

/* ---- page and textfile ---- */

static void test_page(void **state)
{
	char policy[KWS_PAGE_POLICY];
	size_t n;
	const char *page = kws_page(&n);

	(void)state;
	assert_int_equal(strlen(page), n); /* no byte is 0 */
	assert_true(!strncmp(page, "<!DOCTYPE html>", 15));
	kws_page_policy(policy);
	assert_non_null(strstr(policy, "frame-ancestors 'none'"));
	assert_null(strstr(policy, "unsafe"));
	/* the policy knows one style and one script, and no attribute with code */
	assert_null(strstr(strstr(page, "<script>") + 1, "<script"));
	assert_null(strstr(strstr(page, "<style>") + 1, "<style"));
	assert_null(strstr(page, " onclick="));
	assert_null(strstr(page, "http://"));
	assert_null(strstr(page, "https://"));
}

static void test_textfile(void **state)
{
	char dir[] = "/tmp/kws-text.XXXXXX", path[64], other[64], text[32] = "";
	kws_error err = { "" };
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/kws.prom", dir);
	snprintf(other, sizeof other, "%s/kws.prom.new", dir);
	const mode_t was = umask(0077);
	assert_int_equal(kws_textfile_write(path, "a 1\n", 4, &err), KWS_OK);
	assert_int_equal(kws_textfile_write(path, "b 2\n", 4, &err), KWS_OK);
	umask(was);
	FILE *f = fopen(path, "r");
	assert_true(fread(text, 1, sizeof text, f) == 4);
	fclose(f);
	assert_string_equal(text, "b 2\n");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
	assert_int_equal(access(other, F_OK), -1);
	unlink(path);
	rmdir(dir);
	assert_int_equal(kws_textfile_write(path, "a 1\n", 4, &err), KWS_ERR_IO);
	assert_non_null(strstr(err.text, "[web] textfile: "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_host),
		cmocka_unit_test(test_origin),
		cmocka_unit_test(test_without_token),
		cmocka_unit_test(test_with_token),
		cmocka_unit_test(test_token_file),
		cmocka_unit_test(test_readers_at_their_own_pace),
		cmocka_unit_test(test_clip_names),
		cmocka_unit_test(test_only_files_of_the_folder),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_page),
		cmocka_unit_test(test_textfile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
