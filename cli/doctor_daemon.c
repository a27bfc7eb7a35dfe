/* doctor_daemon.c - the daemon's side of kws doctor: configuration, service, event socket, hook. */
#include "cli/args.h"
#include "cli/child.h"
#include "cli/doctor.h"
#include "find_model.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char INSTALLED[] = KWS_SYSCONFDIR "/kwsd/kwsd.conf";

/* ---- kwsd.conf ---- */

/* The path of kwsd: beside this program, otherwise from PATH. */
static void find_kwsd(char *path)
{
	if (!kws_find_beside("kwsd", path, KWS_ARGS_PATH) || access(path, X_OK) != 0)
		snprintf(path, KWS_ARGS_PATH, "kwsd");
}

/* Remove the quotes around a value. */
static void unquote(char *value)
{
	const size_t n = strlen(value);
	if (n > 1 && (value[0] == '"' || value[0] == '\'') && value[n - 1] == value[0]) {
		memmove(value, value + 1, n - 2);
		value[n - 2] = '\0';
	}
}

typedef struct {
	char title[64], key[32], value[KWS_DOCTOR_VALUE]; /* "[audio kitchen]"; cut off */
} entry;

/* Put "key = value" of a line (len,) into e. False: it is none, or of another key. NULL: any key. */
static bool take_entry(entry *e, const char *line, int len, const char *key)
{
	const char *is = strstr(line, " = ");
	if (!is || is > line + len)
		return false;
	snprintf(e->key, sizeof e->key, "%.*s", (int)(is - line), line);
	if (key && strcmp(e->key, key) != 0)
		return false;
	snprintf(e->value, sizeof e->value, "%.*s", len - (int)(is + 3 - line), is + 3);
	if (strcmp(e->key, "command") != 0) /* the quotes belong to the command */
		unquote(e->value);
	return true;
}

/* Find the next value of a key in the output of kwsd -t, from *at on, in any section of that kind;
 * NULL: of any key, in any section. NULL: there is none; e is then empty. */
static const entry *next_entry(const char **at, const char *section, const char *key, entry *e)
{
	const size_t n_section = section ? strlen(section) : 0;
	bool within = !section;
	e->title[0] = e->value[0] = '\0';
	while (**at) {
		const char *line = *at;
		const int len = (int)strcspn(line, "\n");
		*at += len + (line[len] == '\n');
		if (line[0] == '[') {
			within = !section
				 || (strncmp(line + 1, section, n_section) == 0
				     && strchr(" ]", line[n_section + 1]) != NULL);
			snprintf(e->title, sizeof e->title, "%.*s", len, line);
		} else if (within && take_entry(e, line, len, key)) {
			return e;
		}
	}
	e->title[0] = e->value[0] = '\0';
	return NULL;
}

/* The value in the first section of that kind. */
static unsigned first_number(const char *text, const char *section, const char *key, unsigned most)
{
	entry e;
	unsigned n = 0;
	next_entry(&text, section, key, &e);
	kws_args_unsigned(e.value, 0, most, &n);
	return n;
}

static void read_conf(kws_doctor_conf *c, const char *text)
{
	entry e;
	const char *at = c->text;
	snprintf(c->text, sizeof c->text, "%s", text);
	next_entry(&at, "audio", "device", &e);
	memcpy(c->device, e.value, sizeof c->device);
	c->rate_hz = first_number(c->text, "audio", "rate_hz", 192000);
	c->channels = first_number(c->text, "audio", "channels", 32);
	c->channel = first_number(c->text, "audio", "channel", 32);
}

/* Make each line of kwsd a finding, without the log level at its beginning. What kwsd only tells is
 * fine. */
static void find_lines(kws_diagnosis *f, enum kws_verdict verdict, char *text)
{
	static const struct {
		const char *text;
		bool is_info;
	} levels[] = { { "<6>", true },	 { "kwsd: info: ", true },     { "<4>", false },
		       { "<3>", false }, { "kwsd: warning: ", false }, { "kwsd: error: ", false } };
	char *rest = text;
	for (char *line = strtok_r(rest, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		bool info = false;
		for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
			const size_t n = strlen(levels[i].text);
			if (strncmp(line, levels[i].text, n) != 0)
				continue;
			line += n;
			info = levels[i].is_info;
			break;
		}
		kws_find(f, info ? KWS_FIND_OK : verdict, "%s", line);
	}
}

/* Run kwsd -t, with the configuration file if there is one, and this model. False: it could not be
 * run. */
static bool run_kwsd(kws_child *c, const char *name, bool there, const char *model)
{
	char kwsd[KWS_ARGS_PATH], file[KWS_ARGS_PATH], other[KWS_ARGS_PATH];
	char test[] = "-t", config[] = "-c", with[] = "-m";
	char *argv[] = { kwsd, test, NULL, NULL, NULL, NULL, NULL };
	int n = 2;
	find_kwsd(kwsd);
	if (there) {
		snprintf(file, sizeof file, "%s", name);
		argv[n++] = config;
		argv[n++] = file;
	}
	if (!there || model) {
		kws_find_model(model, other, sizeof other);
		argv[n++] = with;
		argv[n++] = other;
	}
	return kws_child_run(c, argv, 20000);
}

void kws_doctor_check_conf(kws_diagnosis *f, const char *path, const char *model,
			   kws_doctor_conf *conf)
{
	static kws_child c;
	char quoted[KWS_FIND_QUOTED];
	const char *name = path ? path : INSTALLED;
	const bool there = path || access(INSTALLED, F_OK) == 0;
	*conf = (kws_doctor_conf){ 0 };
	if (!run_kwsd(&c, name, there, model)) {
		kws_find(f, KWS_FIND_ODD, "kwsd could not be run to check its configuration: %s",
			 strerror(errno));
		kws_find_advise(f, "install it beside kws:");
		kws_find_paste(f, "make && sudo make install");
		return;
	}
	const int status = kws_child_status(&c);
	if (there && c.out[0]) /* even if it is refused for what it names */
		read_conf(conf, c.out);
	find_lines(f, status == 0 ? KWS_FIND_ODD : KWS_FIND_BAD, c.err);
	if (status != 0) {
		kws_find(f, KWS_FIND_BAD, "kwsd refuses its configuration, %s",
			 there ? name : "the defaults");
		kws_find_advise(f, "correct it, check it, and load it:");
		kws_find_paste(f, "sudoedit %s", kws_find_quoted(name, quoted));
		kws_find_paste(f, "kwsd -t -c %s && sudo systemctl reload-or-restart kwsd", quoted);
		return;
	}
	kws_find(f, KWS_FIND_OK,
		 there ? "kwsd accepts its configuration, %s"
		       : "there is no %s: kwsd uses the defaults",
		 name);
}

/* ---- the service ---- */

/* Report the last error in the journal. */
static void find_last_error(kws_diagnosis *f)
{
	static kws_child c;
	char program[] = "journalctl", unit[] = "-ukwsd.service", errors[] = "-perr", one[] = "-n1",
	     bare[] = "-ocat", whole[] = "--no-pager", quiet[] = "-q";
	char *argv[] = { program, unit, errors, one, bare, whole, quiet, NULL };
	if (kws_child_run(&c, argv, 10000) && c.out[0]) {
		c.out[strcspn(c.out, "\n")] = '\0';
		kws_find_advise(f, "its last error: %s", c.out);
	} else {
		kws_find_advise(f, "its log:");
	}
	kws_find_paste(f, "journalctl -u kwsd -n 50");
}

/* Whether systemctl show printed this property. */
static bool is(const char *properties, const char *property)
{
	const size_t n = strlen(property);
	for (const char *at = properties; *at; at += strcspn(at, "\n"), at += *at == '\n')
		if (strncmp(at, property, n) == 0 && (at[n] == '\n' || at[n] == '\0'))
			return true;
	return false;
}

/* Whether systemd knows the service; *runs: whether it runs. */
static bool check_unit(kws_diagnosis *f, bool *runs)
{
	static kws_child c;
	char program[] = "systemctl", show[] = "show", unit[] = "kwsd.service",
	     which[] = "-pLoadState,ActiveState,UnitFileState,Result";
	char *argv[] = { program, show, unit, which, NULL };
	if (access("/run/systemd/system", F_OK) != 0 || !kws_child_run(&c, argv, 10000)
	    || kws_child_status(&c) != 0) {
		kws_find(f, KWS_FIND_OK, "systemd does not run here: there is no service to check");
		return false;
	}
	if (!is(c.out, "LoadState=loaded")) {
		kws_find(f, KWS_FIND_ODD, "systemd knows no kwsd.service");
		kws_find_advise(f, "install it, if kwsd should always run:");
		kws_find_paste(f, "make && sudo make install && sudo systemctl daemon-reload");
		kws_find_paste(f, "sudo systemctl enable --now kwsd");
		return false;
	}
	const bool active = is(c.out, "ActiveState=active") || is(c.out, "ActiveState=reloading");
	if (active) {
		kws_find(f, KWS_FIND_OK, "kwsd.service runs");
	} else if (is(c.out, "ActiveState=inactive")) {
		kws_find(f, KWS_FIND_ODD, "kwsd.service does not run");
		kws_find_advise(f, "start it, now and at every boot:");
		kws_find_paste(f, "sudo systemctl enable --now kwsd");
	} else {
		kws_find(f, KWS_FIND_BAD, "kwsd.service %s",
			 is(c.out, "ActiveState=failed") ? "has failed"
							 : "does not finish starting");
		find_last_error(f);
		kws_find_paste(f, "sudo systemctl restart kwsd");
	}
	if (active && !is(c.out, "UnitFileState=enabled")) {
		kws_find(f, KWS_FIND_ODD, "kwsd.service will not start at boot");
		kws_find_advise(f, "enable it:");
		kws_find_paste(f, "sudo systemctl enable kwsd");
	}
	*runs = active;
	return true;
}

/* ---- what the configuration names ---- */

static const char *user_name(void)
{
	const struct passwd *p = getpwuid(geteuid());
	return p ? p->pw_name : "USER";
}

static void check_connection(kws_diagnosis *f, const char *path, const struct stat *st)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	const struct group *g = getgrgid(st->st_gid);
	const char *group = g ? g->gr_name : "its group";
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), failed = 0;
	snprintf(to.sun_path, sizeof to.sun_path, "%.*s", (int)sizeof to.sun_path - 1, path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
		failed = errno;
	if (fd >= 0)
		close(fd);
	if (!failed) {
		kws_find(f, KWS_FIND_OK, "event socket %s: it connects (mode %04o, group %s)", path,
			 (unsigned)(st->st_mode & 07777), group);
	} else if (failed == EACCES || failed == EPERM) {
		kws_find(f, KWS_FIND_BAD,
			 "event socket %s: %s may not connect (mode %04o, group %s)", path,
			 user_name(), (unsigned)(st->st_mode & 07777), group);
		kws_find_advise(f, "set socket.group and join it, then log in again:");
		kws_find_paste(f, "sudo usermod -aG %s %s", g ? group : "GROUP", user_name());
	} else {
		kws_find(f, KWS_FIND_BAD, "event socket %s: %s", path, strerror(failed));
		kws_find_advise(f, "nobody listens there: kwsd ended without removing it:");
		kws_find_paste(f, "sudo systemctl restart kwsd");
	}
}

static void check_socket(kws_diagnosis *f, const char *path, bool runs)
{
	char quoted[KWS_FIND_QUOTED];
	struct stat st;
	if (lstat(path, &st) != 0) {
		kws_find(f, runs ? KWS_FIND_BAD : KWS_FIND_ODD, "event socket %s: %s", path,
			 strerror(errno));
		kws_find_advise(f, runs ? "the running kwsd has another configuration:"
					: "kwsd makes it when it starts:");
		kws_find_paste(f, "sudo systemctl restart kwsd");
	} else if (!S_ISSOCK(st.st_mode)) {
		kws_find(f, KWS_FIND_BAD, "event socket %s: it is not a socket", path);
		kws_find_advise(f, "move it away:");
		kws_find_paste(f, "sudo mv %s %s.old && sudo systemctl restart kwsd",
			       kws_find_quoted(path, quoted), quoted);
	} else {
		check_connection(f, path, &st);
	}
}

/* The first argument of a command, split as kwsd does: "..." and \ quote. */
static void first_argument(const char *command, char *out)
{
	bool quoted = false;
	size_t n = 0;
	for (; *command && (quoted || (*command != ' ' && *command != '\t')); command++) {
		if (*command == '"') {
			quoted = !quoted;
			continue;
		}
		if (*command == '\\' && command[1])
			command++;
		out[n++] = *command;
	}
	out[n] = '\0';
}

/* Check the interpreter of a script, in the first line. */
static void check_script(kws_diagnosis *f, const char *path)
{
	char line[256] = "", quoted[KWS_FIND_QUOTED];
	FILE *script = fopen(path, "r");
	const bool read = script && fgets(line, sizeof line, script);
	if (script)
		fclose(script);
	if (!read || strncmp(line, "#!", 2) != 0) {
		if (read && memcmp(line, "\177ELF", 4) != 0) {
			kws_find(f, KWS_FIND_BAD, "hook %s: a script without #! in its first line",
				 path);
			kws_find_advise(f, "no shell starts it; name its interpreter:");
			kws_find_paste(f, "sudo sed -i '1i #!/bin/sh' %s",
				       kws_find_quoted(path, quoted));
		}
		return;
	}
	char *program = line + 2 + strspn(line + 2, " \t");
	const bool carriage = strchr(line, '\r') != NULL;
	program[strcspn(program, " \t\r\n")] = '\0';
	if (carriage) {
		kws_find(f, KWS_FIND_BAD, "hook %s: its lines end in CR LF", path);
		kws_find_advise(f, "the kernel takes the CR as part of the interpreter's name:");
		kws_find_paste(f, "sudo sed -i 's/\\r$//' %s", kws_find_quoted(path, quoted));
	} else if (access(program, X_OK) != 0) {
		kws_find(f, KWS_FIND_BAD, "hook %s: its interpreter %s: %s", path, program,
			 strerror(errno));
		kws_find_advise(f, "name another in its first line, or install it:");
		kws_find_paste(f, "sudo sed -i '1s|.*|#!/bin/sh|' %s",
			       kws_find_quoted(path, quoted));
	} else {
		kws_find(f, KWS_FIND_OK, "hook %s: it may be run", path);
	}
}

static void check_hook(kws_diagnosis *f, const char *command)
{
	char path[KWS_DOCTOR_VALUE], quoted[KWS_FIND_QUOTED];
	struct stat st;
	first_argument(command, path);
	if (stat(path, &st) != 0) {
		kws_find(f, KWS_FIND_BAD, "hook %s: %s", path, strerror(errno));
		kws_find_advise(f, "hook.command wants the absolute path of a program:");
		kws_find_paste(f, "sudo install -m 755 YOUR-PROGRAM %s",
			       kws_find_quoted(path, quoted));
	} else if (!S_ISREG(st.st_mode) || (st.st_mode & S_IXOTH) == 0) {
		/* the service runs as a user without special rights */
		kws_find(f, KWS_FIND_BAD, "hook %s: %s", path,
			 S_ISREG(st.st_mode) ? "others may not execute it, and kwsd.service runs "
					       "as a user without special rights"
					     : "not a file");
		kws_find_advise(f, "make it executable:");
		kws_find_paste(f, "sudo chmod 755 %s", kws_find_quoted(path, quoted));
	} else {
		check_script(f, path);
	}
}

/* The unit hides the home folders (ProtectHome=) and has its own /tmp (PrivateTmp=). */
static void check_reach(kws_diagnosis *f, const entry *e)
{
	static const char *const hidden[] = { "/home/", "/root/", "/run/user/", "/tmp/",
					      "/var/tmp/" };
	for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++) {
		if (strncmp(e->value, hidden[i], strlen(hidden[i])) != 0)
			continue;
		kws_find(f, KWS_FIND_ODD, "%s %s: kwsd.service cannot see %s", e->title, e->key,
			 e->value);
		kws_find_advise(f, "move it elsewhere, or open the service with a drop-in:");
		kws_find_paste(f, "sudo systemctl edit kwsd");
		kws_find_paste(f, "[Service]");
		kws_find_paste(f, i < 3 ? "ProtectHome=no" : "PrivateTmp=no");
	}
}

void kws_doctor_check_service(kws_diagnosis *f, const kws_doctor_conf *conf)
{
	bool runs = false;
	const bool known = check_unit(f, &runs);
	const char *at = conf->text;
	entry e;
	if (next_entry(&at, "control", "path", &e))
		kws_doctor_check_control(f, e.value);
	at = conf->text;
	while (next_entry(&at, "socket", "path", &e))
		check_socket(f, e.value, runs);
	at = conf->text;
	while (next_entry(&at, "hook", "command", &e))
		check_hook(f, e.value);
	at = conf->text;
	while (known && next_entry(&at, NULL, NULL, &e))
		check_reach(f, &e);
}
