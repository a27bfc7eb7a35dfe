/* doctor_control.c - what the kwsd that runs says of itself, for kws doctor. */
#include "cli/doctor.h"
#include "cli/link.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static const double patience_s = 5.0;

static const char *text(const json_t *o, const char *key)
{
	const char *t = json_string_value(json_object_get(o, key));
	return t ? t : "";
}

static void check_listener(kws_diagnosis *f, const json_t *l)
{
	const char *name = text(l, "name"), *reason = text(l, "reason");
	const double quiet_s = json_number_value(json_object_get(l, "quiet_s"));
	const char *of = *name ? " of " : "";
	if (json_is_false(json_object_get(l, "enabled"))) {
		kws_find(f, KWS_FIND_ODD, "kwsd does not listen: the microphone%s%s is off", of,
			 name);
		kws_find_advise(f, "turn it on:");
		kws_find_paste(f, "kws ctl on %s", name);
	} else if (!*text(l, "device") || quiet_s > 2.0) {
		kws_find(f, KWS_FIND_BAD, "kwsd has heard nothing%s%s for %.0f s%s%s", of, name,
			 quiet_s, *reason ? ": " : "", reason);
	} else {
		kws_find(f, KWS_FIND_OK, "kwsd listens to %s", text(l, "device"));
	}
}

/* A new object; NULL: it does not answer. */
static json_t *ask_status(const char *path)
{
	kws_link l;
	const char *line = NULL;
	json_t *answer = NULL;
	if (kws_link_open(&l, path, patience_s)
	    && kws_link_send(&l, json_pack("{s:s}", "request", "status")))
		line = kws_link_receive(&l, patience_s);
	const int code = errno;
	if (line)
		answer = json_loads(line, 0, NULL);
	kws_link_close(&l);
	errno = code;
	return answer;
}

void kws_doctor_check_control(kws_diagnosis *f, const char *path)
{
	char found[KWS_DOCTOR_VALUE];
	const json_t *status, *l;
	size_t i;
	kws_link_path(strcmp(path, "auto") != 0 ? path : NULL, found, sizeof found);
	if (!*path || access(found, F_OK) != 0)
		return;
	json_t *answer = ask_status(found);
	if (!answer && errno == EACCES) {
		kws_find(f, KWS_FIND_OK, "control socket %s: not for this user", found);
		return;
	}
	status = json_object_get(answer, "status");
	if (!status) {
		kws_find(f, KWS_FIND_BAD, "control socket %s: %s", found,
			 answer ? text(answer, "error") : strerror(errno));
		kws_find_advise(f, "kwsd does not answer:");
		kws_find_paste(f, "sudo systemctl restart kwsd");
	}
	json_array_foreach(json_object_get(status, "listeners"), i, l) check_listener(f, l);
	if (*text(status, "reload_error")) {
		kws_find(f, KWS_FIND_ODD, "kwsd has not taken its configuration: %s",
			 text(status, "reload_error"));
		kws_find_advise(f, "correct it, and bring it into force:");
		kws_find_paste(f, "sudo systemctl reload kwsd");
	}
	json_decref(answer);
}
