/* run_kwsd.h - the real kwsd, as tests/run_kws.h has kws: in a folder with said.wav, other.wav, tiny.safetensors and conf,
 * which sends events to standard output only. */
#ifndef KWS_TEST_RUN_KWSD_H
#define KWS_TEST_RUN_KWSD_H

#include "tests/run_kws.h"

static inline int set_up_kwsd(void **state)
{
	const int failed = set_up_said(state);

	unsetenv("NOTIFY_SOCKET");
	unsetenv("STATE_DIRECTORY");
	unsetenv("RUNTIME_DIRECTORY");
	put_text("conf", "[stdout]\nenabled = yes\n[journal]\nenabled = no\n");
	return failed;
}

/* The program that runs from now on. */
static inline void use(const char *program)
{
	assert_true(kws_find_beside(program, kws, sizeof kws));
}

/* kwsd with the configuration of this test and these words between blanks. */
#define KWSD(...) (use("kwsd"), run_line("-c conf " __VA_ARGS__))

/* What it said on standard error. */
static inline void expect(const char *part)
{
	if (!strstr(err, part))
		fail_msg("nothing of \"%s\":\n%s", part, err);
}

#endif
