#include "runtime/log.h"
#include "daemon/sink/work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

enum { OURS = 3, FIELDS = OURS + KWS_REPORT_FIELDS }; /* without the JSON */

typedef struct {
	kws_sink_work *work;
	bool failing;
	char text[FIELDS][KWS_SINK_FIELD];
	char json[KWS_EVENT_JSON + 16];
} journal;

/* MESSAGE is for people, KWS_<FIELD> for matches of journalctl, and KWS_EVENT is the same line as
 * in all other sinks. */
static bool deliver(void *self, const kws_report *r)
{
	journal *j = self;
	struct iovec v[FIELDS + 1];
	char words[128];
	int n = 0;

	kws_report_text(r, words, sizeof words);
	snprintf(j->text[n++], sizeof j->text[0], "MESSAGE=%s", words);
	snprintf(j->text[n++], sizeof j->text[0], "PRIORITY=6");
	snprintf(j->text[n++], sizeof j->text[0], "SYSLOG_IDENTIFIER=kwsd");
	while (n < FIELDS && kws_sink_field(r, (size_t)(n - OURS), j->text[n]))
		n++;
	for (int i = 0; i < n; i++)
		v[i] = (struct iovec){ j->text[i], strlen(j->text[i]) };
	memcpy(j->json, "KWS_EVENT=", 10);
	v[n++] = (struct iovec){ j->json, 10 + kws_report_json(r, j->json + 10, KWS_EVENT_JSON) };

	int got = sd_journal_sendv(v, n);
	if (got < 0 && !j->failing)
		kws_log(KWS_LOG_WARNING, "journal: %s", strerror(-got));
	j->failing = got < 0;
	return got >= 0;
}

static const kws_sink_deliver ops = { NULL, deliver, NULL, free };

/* auto: on if our own output goes to the journal. */
static bool wanted(const kws_conf *all, const void *c)
{
	const kws_conf_journal *conf = c;

	(void)all;
	return conf->enabled == KWS_YES
	       || (conf->enabled == KWS_AUTO
		   && (kws_log_is_journal(kws_log_fd()) || kws_log_is_journal(STDOUT_FILENO)));
}

static enum kws_status create(kws_sink **sink, const void *c, kws_error *err)
{
	const kws_conf_journal *conf = c;
	journal *j = calloc(1, sizeof *j);

	*sink = NULL;
	if (!j)
		return kws_fail(err, KWS_ERR_NOMEM, "journal: out of memory");
	return kws_sink_work_create(sink, &kws_sink_journal, "", &ops, j, conf->queue, &j->work,
				    err);
}

const kws_sink_kind kws_sink_journal = { "journal", wanted, create };
