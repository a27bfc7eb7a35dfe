/* control.h - what the tests of the control socket share: a daemon that does as it is told, and clients. */
#ifndef KWS_TESTS_CONTROL_H
#define KWS_TESTS_CONTROL_H

#include "tests/sinks.h"
#include "tests/sockets.h"

#include "daemon/control_parts.h"
#include "daemon/snapshot.h"

#include <poll.h>

/* The daemon, as the control socket sees it. */
typedef struct {
	enum kws_control_result result; /* of set and reload */
	const char *errors;
	char set[1024]; /* what was set, one behind the other */
	unsigned reloads;
	size_t more; /* bytes of a status, why the last reload was refused */
} world;

static const char *const listeners[] = { "kitchen", "attic", NULL };
static const char *const spotters[] = { "", "commands", NULL };

static inline json_t *status(void *ctx)
{
	static char reason[2 * KWS_CONTROL_ANSWER];
	const kws_snapshot s = {
		.version = "v", .configuration = "", .configuration_hash = "", .reload = reason
	};
	const world *w = ctx;

	memset(reason, 'x', w->more);
	reason[w->more] = 0;
	return kws_snapshot_json(&s);
}

static inline const char *listener(void *ctx, size_t i)
{
	(void)ctx;
	return listeners[i];
}

static inline const char *spotter(void *ctx, size_t i)
{
	(void)ctx;
	return spotters[i];
}

static inline enum kws_control_result set(void *ctx, const char *const *text, size_t n, bool keep,
					  char errors[KWS_CONTROL_ERRORS])
{
	world *w = ctx;
	size_t at = strlen(w->set);

	snprintf(errors, KWS_CONTROL_ERRORS, "%s", w->errors);
	for (size_t i = 0; w->result != KWS_CONTROL_BUSY && i < n; i++)
		at += (size_t)snprintf(w->set + at, sizeof w->set - at, "%s;", text[i]);
	if (w->result != KWS_CONTROL_BUSY)
		snprintf(w->set + at, sizeof w->set - at, keep ? "kept|" : "|");
	return w->result == KWS_CONTROL_LATER ? KWS_CONTROL_DONE : w->result;
}

static inline enum kws_control_result reload(void *ctx, char errors[KWS_CONTROL_ERRORS])
{
	world *w = ctx;
	const enum kws_control_result result = w->result;

	snprintf(errors, KWS_CONTROL_ERRORS, "%s", w->errors);
	w->reloads += result == KWS_CONTROL_LATER;
	if (result == KWS_CONTROL_LATER)
		w->result = KWS_CONTROL_BUSY;
	return result;
}

static const kws_control_ops ops = { status, listener, spotter, set, reload };

static world w;
static kws_control *control;

static inline kws_conf_control conf_with(unsigned clients, unsigned buffer_kb)
{
	kws_conf_control c;

	memset(&c, 0, sizeof c);
	c.mode = 0600;
	c.clients = clients;
	c.buffer_kb = buffer_kb;
	snprintf(c.path, sizeof c.path, "%s", in_dir("control"));
	return c;
}

static inline void become(kws_conf_control c)
{
	kws_server *next;
	kws_error err = { "" };

	if (kws_control_prepare(&next, &c, control, &err) != KWS_OK
	    || kws_control_swap(control, &c, next, &err) != KWS_OK)
		fail_msg("%s", err.text);
}

static inline int start(void **state)
{
	(void)state;
	w = (world){ .result = KWS_CONTROL_LATER, .errors = "" };
	if (kws_control_create(&control, &ops, &w, NULL) != KWS_OK)
		return -1;
	become(conf_with(4, 64));
	return 0;
}

static inline int stop(void **state)
{
	(void)state;
	kws_control_stop(control, 0);
	control = NULL;
	return 0;
}

static inline void serve(void)
{
	struct pollfd p = { .fd = kws_control_fd(control), .events = POLLIN };

	while (poll(&p, 1, 0) == 1)
		kws_control_serve(control);
}

static inline int come(void)
{
	int fd = visit(in_dir("control"));

	assert_true(fd >= 0);
	serve();
	return fd;
}

static inline void say(int fd, const char *line)
{
	assert_int_equal(send(fd, line, strlen(line), MSG_NOSIGNAL), strlen(line));
	assert_int_equal(send(fd, "\n", 1, MSG_NOSIGNAL), 1);
	serve();
}

/* All that came, which is as the schema says. */
static inline char *heard(int fd)
{
	static char text[1 << 20];

	serve();
	read_for_now(fd, text, sizeof text);
	assert_true(schema_check_lines_of(CONTROL_SCHEMA, text) >= 0);
	return text;
}

static inline char *answer(int fd, const char *line)
{
	say(fd, line);
	return heard(fd);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, start, stop)

#endif
