/* Where kwsd-wyoming is reached, and how it notices that a model file has changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "gateway/wyoming/listen.h"
#include "gateway/wyoming/watch.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static void addresses_are_read(void **state)
{
	kws_uri u[KWS_LISTEN_ADDRESSES];
	size_t n;

	(void)state;
	assert_int_equal(
		kws_uris_read(u, &n, " tcp://127.0.0.1:10400  tcp://[::1]:1 unix:///run/w ", NULL),
		KWS_OK);
	assert_int_equal(n, 3);
	assert_int_equal(u[0].kind, KWS_URI_TCP);
	assert_string_equal(u[0].host, "127.0.0.1");
	assert_string_equal(u[0].port, "10400");
	assert_string_equal(u[1].host, "::1");
	assert_string_equal(u[1].port, "1");
	assert_int_equal(u[2].kind, KWS_URI_UNIX);
	assert_string_equal(u[2].path, "/run/w");
	assert_int_equal(kws_uris_read(u, &n, "stdio://", NULL), KWS_OK);
	assert_int_equal(u[0].kind, KWS_URI_STDIO);
	assert_int_equal(kws_uris_read(u, &n, "tcp://kitchen.local:65535", NULL), KWS_OK);
}

static void what_is_no_address_is_refused(void **state)
{
	static const struct {
		const char *text, *why;
	} wrong[] = {
		{ "", "[wyoming] uri: empty: there is nothing to do" },
		{ "127.0.0.1:10400", "[wyoming] uri: 127.0.0.1:10400: want tcp://HOST:PORT, "
				     "unix:///PATH or stdio://" },
		{ "tcp://:10400", "[wyoming] uri: tcp://:10400: want tcp://HOST:PORT or "
				  "tcp://[ADDRESS]:PORT" },
		{ "tcp://::1:10400", NULL },
		{ "tcp://[::1]10400", NULL },
		{ "tcp://a:0", NULL },
		{ "tcp://a:65536", NULL },
		{ "tcp://a:123456", NULL },
		{ "tcp://a:", NULL },
		{ "tcp://a", NULL },
		{ "unix://", "[wyoming] uri: unix://: want unix:// and an absolute path" },
		{ "unix://w", NULL },
		{ "stdio://x", "[wyoming] uri: stdio://x: nothing follows stdio://" },
		{ "stdio:// unix:///w", "[wyoming] uri: stdio:// serves one client and goes with "
					"no other address" },
		{ "tcp://a:1 tcp://a:2 tcp://a:3 tcp://a:4 tcp://a:5 tcp://a:6 tcp://a:7 tcp://a:8 "
		  "tcp://a:9",
		  "[wyoming] uri: more than 8 addresses" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		kws_uri u[KWS_LISTEN_ADDRESSES];
		kws_error e = { "" };
		size_t n;

		assert_int_equal(kws_uris_read(u, &n, wrong[i].text, &e), KWS_ERR_ARG);
		if (wrong[i].why)
			assert_string_equal(e.text, wrong[i].why);
		else
			assert_non_null(strstr(e.text, "want "));
	}
}

/* A free port of this machine. */
static unsigned free_port(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const int fd = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t n = sizeof a;

	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
	close(fd);
	return ntohs(a.sin_port);
}

static void an_address_belongs_to_one(void **state)
{
	char dir[] = "/tmp/test_wyoming.XXXXXX";
	kws_conf_wyoming c = { .mode = 0600 };
	kws_listen l, other;
	kws_error e = { "" };
	struct stat st;
	char path[64];

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/w", dir);
	snprintf(c.uri, sizeof c.uri, "tcp://127.0.0.1:%u unix://%s", free_port(), path);
	assert_int_equal(kws_listen_open(&l, &c, &e), KWS_OK);
	assert_int_equal(l.n, 2);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(kws_listen_open(&other, &c, &e), KWS_ERR_IO);
	assert_non_null(strstr(e.text, "Address already in use"));
	assert_int_equal(stat(path, &st), 0); /* the other has taken nothing away */
	kws_listen_close(&l);
	assert_int_not_equal(stat(path, &st), 0);
	assert_int_equal(kws_listen_open(&l, &c, &e), KWS_OK);
	kws_listen_close(&l);
	rmdir(dir);
}

/* ---- model files ---- */

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void a_change_is_seen_when_it_is_over(void **state)
{
	char dir[] = "/tmp/test_wyoming.XXXXXX", other[64];
	static kws_conf c;
	kws_watch w;

	(void)state;
	assert_non_null(mkdtemp(dir));
	c.n_model = 1;
	snprintf(c.model[0].path, sizeof c.model[0].path, "%s/m", dir);
	snprintf(other, sizeof other, "%s/other", dir);
	write_file(c.model[0].path, "one");
	kws_watch_begin(&w, &c);
	assert_false(kws_watch_look(&w, &c));
	assert_false(kws_watch_look(&w, &c));
	/* it is being written: a look that finds another size than the last one waits */
	write_file(c.model[0].path, "three");
	assert_false(kws_watch_look(&w, &c));
	write_file(c.model[0].path, "thirteen");
	assert_false(kws_watch_look(&w, &c));
	assert_true(kws_watch_look(&w, &c));
	kws_watch_begin(&w, &c);
	assert_false(kws_watch_look(&w, &c));
	/* another file in its place, of the same size */
	write_file(other, "fourteen");
	assert_int_equal(rename(other, c.model[0].path), 0);
	assert_false(kws_watch_look(&w, &c));
	assert_true(kws_watch_look(&w, &c));
	kws_watch_begin(&w, &c);
	unlink(c.model[0].path);
	assert_false(kws_watch_look(&w, &c));
	assert_true(kws_watch_look(&w, &c));
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_read),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(an_address_belongs_to_one),
		cmocka_unit_test(a_change_is_seen_when_it_is_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
