/* fuzz_web - what kwsd-web reads itself of a request, and what it makes of a status: lines "host: ...", "origin: ...",
 * "site: ...", "authorization: ...", "local", "proxied", "token: ..." (of the server), "listen: ...", "clip: ...",
 * "status: JSON". Accepted: whatever would be let in. */
#include "gateway/sockets.h"
#include "gateway/web/access.h"
#include "gateway/web/clip.h"
#include "gateway/web/metrics.h"
#include "gateway/web/sockets.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static const char *after(const char *line, const char *head)
{
	const size_t n = strlen(head);

	return strncmp(line, head, n) == 0 ? line + n : NULL;
}

static void check_address(const char *text)
{
	struct sockaddr_storage a;
	socklen_t len;

	if (kws_web_address_read(text, &a, &len)) {
		demand(a.ss_family == AF_INET || a.ss_family == AF_INET6);
		kws_sockets_is_local((struct sockaddr *)&a);
	}
}

static void check_clip(const char *name)
{
	off_t size;

	if (kws_clip_is_name(name))
		demand(!strchr(name, '/') && !strchr(name, '%') && name[0] != '.'
		       && strlen(name) < 128);
	demand(kws_clip_open("/nowhere/at/all", name, &size) < 0);
}

/* Each line is a comment, or a name and a number. */
static void check_metrics(const char *json)
{
	const kws_metrics_own own = { .pages = 1 };
	json_t *status = json_loads(json, 0, NULL);
	size_t n;
	char *text = kws_metrics_text(status, &own, &n);

	demand(text && n && text[n - 1] == '\n' && strlen(text) == n);
	for (char *line = text, *end; *line; line = end + 1) {
		end = strchr(line, '\n');
		demand(end && end > line);
		demand(!strncmp(line, "# ", 2) || !strncmp(line, "kws_", 4));
		*end = 0;
		demand(*line == '#' || strrchr(line, ' ') != NULL);
	}
	free(text);
	json_decref(status);
}

static void take(char *line, kws_access *a, kws_access_request *r)
{
	const char *value;

	if ((value = after(line, "host: ")))
		r->host = value;
	else if ((value = after(line, "origin: ")))
		r->origin = value;
	else if ((value = after(line, "site: ")))
		r->site = value;
	else if ((value = after(line, "authorization: ")))
		r->authorization = value;
	else if ((value = after(line, "token: ")))
		kws_access_token(value, strlen(value), a->token);
	else if ((value = after(line, "listen: ")))
		check_address(value);
	else if ((value = after(line, "clip: ")))
		check_clip(value);
	else if ((value = after(line, "status: ")))
		check_metrics(value);
	r->local |= !strcmp(line, "local");
	r->proxied |= !strcmp(line, "proxied");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	kws_access a = { .hosts = "kws.example.org other", .machine = "kitchen" };
	kws_access_request r = { .host = NULL };
	char *text = malloc(size + 1), *rest = text, name[KWS_ACCESS_NAME];
	const char *why = NULL;
	unsigned status;

	demand(text != NULL);
	memcpy(text, data, size);
	text[size] = 0;
	for (char *line = strtok_r(rest, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		take(line, &a, &r);
	status = kws_access_check(&a, &r, &why);
	demand(!status == !why);
	demand(status == 0 || status == 400 || status == 401 || status == 403 || status == 421);
	if (!status) { /* nobody comes in without all of this */
		demand(kws_access_host_name(r.host, name) && *name);
		demand(*a.token ? r.authorization != NULL : r.local && !r.proxied);
	}
	fuzz_accepted = !status;
	free(text);
	return 0;
}
