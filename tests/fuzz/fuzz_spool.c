/* fuzz_spool - any file as the queue of events of kwsd-mqtt: what can be read of it comes out in order, what is added comes
 * behind it, and the file that is left is read without damage. Accepted: nothing in it was damaged. */
#include "gateway/mqtt/spool.h"
#include "tests/fuzz/fuzz.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static size_t walk(kws_spool *s, uint64_t *last)
{
	kws_spool_event e;
	size_t n = 0;

	*last = 0;
	for (; kws_spool_next(s, *last, &e); n++) {
		demand(e.number > *last);
		demand(e.n < KWS_SPOOL_LINE && !memchr(e.text, '\n', e.n));
		*last = e.number;
	}
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[] = "/tmp/kws-fuzz.XXXXXX";
	const kws_spool_config conf = { path, 1 << 20, 1e18 };
	const int fd = mkstemp(path);
	kws_spool_stats st;
	kws_spool *s;
	uint64_t last;
	size_t n;

	demand(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	close(fd);
	demand(kws_spool_open(&s, &conf, 1e9, NULL) == KWS_OK);
	kws_spool_stats_get(s, &st);
	fuzz_accepted = size > 0 && !st.damaged;
	n = walk(s, &last);
	demand(n == st.waiting);
	demand(kws_spool_add(s, "one-more", "{}", 2, 1e9, NULL) == KWS_OK);
	kws_spool_close(s);
	demand(kws_spool_open(&s, &conf, 1e9, NULL) == KWS_OK);
	kws_spool_stats_get(s, &st);
	demand(!st.damaged);
	demand(walk(s, &last) == st.waiting && (st.waiting == n + 1 || st.waiting == n));
	while (st.waiting--) {
		kws_spool_event e;

		demand(kws_spool_next(s, 0, &e));
		kws_spool_done(s, e.number);
	}
	demand(walk(s, &last) == 0);
	kws_spool_close(s);
	unlink(path);
	return 0;
}
