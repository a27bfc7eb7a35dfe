#include "runtime/cause.h"

#include "kws.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
	char text[40];
} name;

static const char *user_name(name *n, uid_t uid)
{
	struct passwd p, *found = NULL;
	char buf[2048];

	if (getpwuid_r(uid, &p, buf, sizeof buf, &found) == 0 && found)
		snprintf(n->text, sizeof n->text, "%.39s", found->pw_name);
	else
		snprintf(n->text, sizeof n->text, "%lu", (unsigned long)uid);
	return n->text;
}

/* systemd sets these variables for the services that it starts. */
static bool in_service(void)
{
	return getenv("INVOCATION_ID") != NULL && getenv("NOTIFY_SOCKET") != NULL;
}

static bool begins(const char *path, const char *with)
{
	size_t n = strlen(with);

	return !strncmp(path, with, n) && (path[n] == '/' || !path[n]);
}

/* Find the path, or the nearest folder above it that exists. */
static bool nearest(const char *path, char *at, size_t n, struct stat *st)
{
	snprintf(at, n, "%s", path);
	while (stat(at, st) != 0) {
		char *slash = strrchr(at, '/');

		if (!slash || !at[1])
			return false;
		slash[slash == at] = 0;
	}
	return true;
}

static void denied(kws_cause *c, const char *path)
{
	char at[256];
	struct stat st;
	name us, them;

	if (!nearest(path, at, sizeof at, &st))
		return;
	size_t n = strlen(c->text);
	snprintf(c->text + n, sizeof c->text - n,
		 "; kwsd runs as %s, and %.120s belongs to %s, mode %04o",
		 user_name(&us, geteuid()), at, user_name(&them, st.st_uid),
		 (unsigned)st.st_mode & 07777);
}

static void add(kws_cause *c, const char *text)
{
	size_t n = strlen(c->text);

	snprintf(c->text + n, sizeof c->text - n, "%s", text);
}

const char *kws_cause_of(kws_cause *c, int err, const char *path)
{
	snprintf(c->text, sizeof c->text, "%s", kws_strerrno(err));
	if (err == EACCES)
		denied(c, path);
	if (!in_service())
		return c->text;
	if (err == EROFS)
		add(c, "; the service may write below its folders in /run and /var/lib only "
		       "(ReadWritePaths= of a drop-in adds others)");
	else if (err == EPERM)
		add(c, "; SystemCallFilter= of the unit may forbid it");
	else if ((err == ENOENT || err == EACCES)
		 && (begins(path, "/home") || begins(path, "/root") || begins(path, "/run/user")))
		add(c, "; the service does not see /home, /root and /run/user (ProtectHome=)");
	else if (err == ENOENT && (begins(path, "/tmp") || begins(path, "/var/tmp")))
		add(c, "; the service has a /tmp of its own (PrivateTmp=)");
	return c->text;
}

const char *kws_cause_of_group(kws_cause *c, int err, gid_t group)
{
	gid_t list[256];
	int n = getgroups(256, list);
	bool member = getegid() == group;
	name us;

	for (int i = 0; i < n; i++)
		member |= list[i] == group;
	snprintf(c->text, sizeof c->text, "%s", kws_strerrno(err));
	if (err == EPERM && member)
		add(c, "; kwsd is in the group, but a filter of system calls forbids chown "
		       "(SystemCallFilter= of the unit): for the service, Group= of a drop-in");
	else if (err == EPERM) {
		size_t at = strlen(c->text);

		snprintf(
			c->text + at, sizeof c->text - at,
			"; kwsd runs as %s, who is not in that group (for the service: Group= of a "
			"drop-in)",
			user_name(&us, geteuid()));
	}
	return c->text;
}
