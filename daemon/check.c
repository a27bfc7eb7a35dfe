#include "daemon/check.h"

#include "audio/device.h"
#include "runtime/cause.h"
#include "conf/table.h"
#include "runtime/log.h"
#include "daemon/start.h"

#include <errno.h>
#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

/* ---- paths that only the service can use ---- */

/* The service's own folders exist while it runs; only the service and root can look into them. */
static bool is_of_service(const char *path)
{
	static const char *const ours[] = { "/run/kwsd", "/var/lib/kwsd" };

	for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
		if (!strncmp(path, ours[i], strlen(ours[i])))
			return true;
	return false;
}

/* The service's folder that contains path: /run/kwsd, /var/lib/kwsd-desk, ... */
static void top_of(const char *path, char *top, size_t n)
{
	const char *kwsd = strstr(path, "/kwsd") + 1;

	snprintf(top, n, "%.*s", (int)(kwsd - path) + (int)strcspn(kwsd, "/"), path);
}

static bool ends_in(const char *path, const char *end)
{
	size_t n = strlen(path), k = strlen(end);

	return n >= k && !strcmp(path + n - k, end);
}

/* Do not check this path. */
static void leave_out(const kws_conf_place *p)
{
	*(char *)(uintptr_t)p->path = 0;
}

/* Whether only the service can examine the path, or the folder that will contain it. Then it is not
 * checked, and the log says so. */
static bool left_to_service(const kws_conf_place *p)
{
	char up[256], top[256];
	struct stat st, owner;
	int why;

	if (!is_of_service(p->path))
		return false;
	snprintf(up, sizeof up, "%s", p->path);
	if (p->what != KWS_CONF_A_FOLDER)
		*strrchr(up, '/') = 0;
	top_of(p->path, top, sizeof top);
	why = stat(up, &st) != 0 || access(up, W_OK | X_OK) != 0 ? errno : 0;
	if (!why && stat(top, &owner) == 0 && st.st_uid != owner.st_uid && !(st.st_mode & S_IWOTH))
		kws_log(KWS_LOG_WARNING,
			"%s: %s: is not the service's own, who may not write into it", p->key, up);
	/* the service creates its own folder and clips in it, but nothing else that is missing */
	if (!why || (why == ENOENT && stat(top, &owner) == 0 && !ends_in(p->path, "/clips")))
		return false;
	kws_log(KWS_LOG_WARNING, "%s: %s: not checked: the folder is the service's, which %s",
		p->key, p->path,
		why == ENOENT ? "makes it when it starts" : "others may not change");
	leave_out(p);
	return true;
}

/* A kwsd that listens there is most likely the one that will be reloaded. */
static void leave_out_live_socket(const kws_conf_place *p)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(a.sun_path, sizeof a.sun_path, "%s", p->path);
	if (fd >= 0
	    && (connect(fd, (const struct sockaddr *)&a, sizeof a) == 0 || errno == EAGAIN)) {
		kws_log(KWS_LOG_WARNING,
			"%s: %s: a process listens there: for the running kwsd that is "
			"right, a second one would be refused",
			p->key, p->path);
		leave_out(p);
	}
	if (fd >= 0)
		close(fd);
}

/* ---- the microphone ---- */

static void check_raw(const char *key, const char *path)
{
	kws_cause cause;
	struct stat st;

	if (!strcmp(path, "-"))
		return;
	if (stat(path, &st) != 0 || access(path, R_OK) != 0)
		kws_log(KWS_LOG_WARNING, "%s: raw:%s: %s; kwsd would wait for it", key, path,
			kws_cause_of(&cause, errno, path));
	else if (S_ISDIR(st.st_mode))
		kws_log(KWS_LOG_WARNING, "%s: raw:%s: is a folder", key, path);
}

static void check_device(const kws_conf_audio *a)
{
	static kws_device_info list[KWS_DEVICE_MAX];
	const char *name = a->device;
	char key[KWS_CONF_TITLE + 8], title[KWS_CONF_TITLE];
	kws_error err = { "" };
	char all[KWS_LOG_LINE] = "";
	size_t n = 0;
	int found;

	snprintf(key, sizeof key, "%s device", kws_conf_title("audio", a->name, title));
	if (!strncmp(name, "raw:", 4)) {
		check_raw(key, name + 4);
		return;
	}
	if (kws_device_list(list, KWS_DEVICE_MAX, &n, &err) != KWS_OK) {
		kws_log(KWS_LOG_WARNING, "%s: %s: cannot look for it: %s", key, name, err.text);
		return;
	}
	found = kws_device_match(name, list, n, &err);
	if (found >= 0) {
		kws_log(KWS_LOG_INFO, "%s: %s: now that is %s", key, name, list[found].id);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		size_t at = strlen(all);

		snprintf(all + at, sizeof all - at, "%s%s", at ? ", " : "; there are ", list[i].id);
	}
	kws_log(KWS_LOG_WARNING, "%s: %s; kwsd would wait for it%s", key, err.text, all);
}

/* ---- listeners ---- */

static void say_listener(const kws_setup *s, const kws_conf_audio *a)
{
	char title[KWS_CONF_TITLE];

	kws_conf_title("audio", a->name, title);
	if (!a->enabled)
		kws_log(KWS_LOG_INFO, "%s: is off", title);
	for (size_t i = 0; a->enabled && i < s->conf.n_model; i++) {
		const kws_conf_model *c = &s->conf.model[i];
		const kws_model *m = kws_shared_model_get(s->models.model[i]);
		char gate[KWS_CONF_NAME + 32] = "";

		if (!kws_conf_hears(a, c->name))
			continue;
		if (*c->after)
			snprintf(gate, sizeof gate, ", for %.3g s after %s", (double)c->within_s,
				 c->after);
		kws_log(KWS_LOG_INFO,
			"%s: would hear with %s%s%s %.12s%s: %.2f %% of one processor", title,
			c->name, *c->name ? ": " : "", kws_model_name(m), kws_model_hash(m), gate,
			100.0 * kws_shared_model_cost(s->models.model[i]));
	}
}

/* ---- the whole check ---- */

static void say_who(const kws_conf *c)
{
	const struct passwd *us = getpwuid(geteuid());

	kws_log(KWS_LOG_INFO, "checked as %s%s", us ? us->pw_name : "a user without a name",
		geteuid() ? "" : ", who may do more than the service's own user");
	for (kws_conf_place p = { .next = 0 }; geteuid() == 0 && kws_conf_next_place(c, &p);)
		if (!is_of_service(p.path))
			kws_log(KWS_LOG_WARNING,
				"%s: %s: kwsd.service may write below /run/kwsd and /var/lib/kwsd "
				"only; ReadWritePaths= of a drop-in adds others",
				p.key, p.path);
}

int kws_check(kws_setup *s)
{
	const kws_conf whole = s->conf;
	kws_conf *c = &s->conf;
	kws_error err = { "" };
	bool stopped;

	kws_conf_print(c, stdout);
	if (fflush(stdout) != 0) {
		kws_log(KWS_LOG_ERROR, "standard output: %s", strerror(errno));
		return EX_IOERR;
	}
	for (kws_conf_place p = { .next = 0 }; kws_conf_next_place(c, &p);)
		if (!left_to_service(&p) && p.what == KWS_CONF_A_SOCKET)
			leave_out_live_socket(&p);
	if (kws_start_build(s, &stopped, &err) != KWS_OK) {
		kws_log(KWS_LOG_ERROR, "%s", err.text);
		return EX_CONFIG;
	}
	if (stopped)
		return EX_TEMPFAIL;
	for (size_t i = 0; i < c->n_audio; i++) {
		say_listener(s, &c->audio[i]);
		if (c->audio[i].enabled)
			check_device(&c->audio[i]);
	}
	kws_setup_drop(s);
	say_who(&whole);
	return EX_OK;
}
