/* fuzz_control - any bytes from a client of the control socket: each line has one answer, which is one line
 * of JSON as docs/control.schema.json has it; what it counts of subscriptions adds up. */
#include "daemon/control_parts.h"
#include "runtime/log.h"
#include "daemon/snapshot.h"
#include "tests/fuzz/fuzz.h"
#include "tests/schema.h"

#include <string.h>

static enum kws_control_result next;

static json_t *status(void *ctx)
{
	const kws_snapshot s = {
		.version = "v", .configuration = "", .configuration_hash = "", .reload = ""
	};

	(void)ctx;
	return kws_snapshot_json(&s);
}

static const char *name(void *ctx, size_t i)
{
	static const char *const names[] = { "", "kitchen", NULL };

	(void)ctx;
	return names[i];
}

static enum kws_control_result set(void *ctx, const char *const *text, size_t n, bool keep,
				   char errors[KWS_CONTROL_ERRORS])
{
	(void)ctx;
	(void)keep;
	demand(n > 0 && n <= 64);
	for (size_t i = 0; i < n; i++) {
		demand(strchr(text[i], '=') && strlen(text[i]) < 256);
		for (const char *at = text[i]; *at; at++)
			demand((unsigned char)*at >= 0x20 && *at != 0x7f);
	}
	snprintf(errors, KWS_CONTROL_ERRORS, "%s\n%s\n", text[0], text[n - 1]);
	return next == KWS_CONTROL_LATER ? KWS_CONTROL_DONE : next;
}

static enum kws_control_result reload(void *ctx, char errors[KWS_CONTROL_ERRORS])
{
	(void)ctx;
	snprintf(errors, KWS_CONTROL_ERRORS, "no");
	return next == KWS_CONTROL_IN_PART ? KWS_CONTROL_LATER : next;
}

static const kws_control_ops ops = { status, name, name, set, reload };

/* One line, as the schema has it. Whether all was well. */
static bool check_answer(const char *answer, size_t n)
{
	static json_t *schema;
	schema_error e;

	if (!schema)
		schema = json_load_file(CONTROL_SCHEMA, 0, NULL);
	demand(schema && n > 1 && n <= KWS_CONTROL_ANSWER);
	demand(memchr(answer, '\n', n) == answer + n - 1);
	json_t *o = json_loadb(answer, n, JSON_REJECT_DUPLICATES, NULL);
	demand(o && schema_fits(schema, o, &e));
	const bool ok = json_is_true(json_object_get(o, "ok"));
	json_decref(o);
	return ok;
}

static bool hear(kws_control *c, kws_control_client *own, const char *line, size_t n)
{
	size_t len = 0;

	switch (kws_control_hear(c, own, (kws_peer){ 1, 2, 3 }, line, n, &len)) {
	case KWS_HEARD_ANSWERED: return check_answer(c->answer, len);
	case KWS_HEARD_BUSY: demand(next == KWS_CONTROL_BUSY); return false;
	case KWS_HEARD_LATER: break;
	}
	demand(own->asked);
	len = kws_control_tell(c, own->asked, own->id, NULL, "");
	own->asked = NULL;
	return check_answer(c->answer, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static kws_control *c;
	kws_control_client own;
	static char line[KWS_CONTROL_LINE + 1];

	if (!c)
		demand(kws_control_create(&c, &ops, NULL, NULL) == KWS_OK);
	kws_log_level(0);
	memset(&own, 0, sizeof own);
	memset(c->wanted, 0, sizeof c->wanted);
	/* DONE in the seeds, so that they say what they are */
	next = size ? (enum kws_control_result)(data[size - 1] == '\n' ? 0 : data[size - 1] % 5)
		    : KWS_CONTROL_DONE;
	next = next == KWS_CONTROL_DONE ? KWS_CONTROL_LATER : next;
	fuzz_accepted = size > 0;
	for (const char *at = (const char *)data, *end = at + size; at < end;) {
		const char *lf = memchr(at, '\n', (size_t)(end - at));
		const size_t n = (size_t)((lf ? lf : end) - at);

		if (n <= KWS_CONTROL_LINE) {
			memcpy(line, at, n);
			line[n] = 0;
			fuzz_accepted &= hear(c, &own, line, n);
		}
		at += n + 1;
	}
	for (size_t i = 0; i < KWS_STREAMS; i++)
		demand(c->wanted[i] == own.to[i].on);
	return 0;
}
