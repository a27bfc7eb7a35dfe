/* Code that only starting needed leaves memory, and comes back when it is called. */
#define _GNU_SOURCE /* dl_iterate_phdr */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "runtime/pages.h"

#include <fftw3.h>
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* The code of FFTW, which is large. */
typedef struct {
	uintptr_t from, to;
} code;

static int find(struct dl_phdr_info *object, size_t size, void *ctx)
{
	code *c = ctx;

	(void)size;
	if (!strstr(object->dlpi_name, "fftw3f"))
		return 0;
	for (size_t i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &object->dlpi_phdr[i];

		if (p->p_type == PT_LOAD && (p->p_flags & PF_X)) {
			c->from = object->dlpi_addr + p->p_vaddr;
			c->to = c->from + p->p_memsz;
		}
	}
	return 1;
}

/* KiB of the mapping at this address that are resident; -1: the kernel does not say. */
static long resident(uintptr_t at)
{
	FILE *f = fopen("/proc/self/smaps", "re");
	char line[512];
	unsigned long from, to;
	long kib = -1, n;
	bool inside = false;

	while (f && kib < 0 && fgets(line, sizeof line, f)) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			inside = from <= at && at < to;
		else if (inside && sscanf(line, "Rss: %ld", &n) == 1)
			kib = n;
	}
	if (f)
		fclose(f);
	return kib;
}

static float transform(void)
{
	enum { N = 512 };
	static float in[N];
	static fftwf_complex out[N / 2 + 1];
	fftwf_plan p = fftwf_plan_dft_r2c_1d(N, in, out, FFTW_ESTIMATE);
	float sum = 0.0f;

	for (int i = 0; i < N; i++)
		in[i] = (float)(i % 37);
	fftwf_execute(p);
	fftwf_destroy_plan(p);
	for (int i = 0; i <= N / 2; i++)
		sum += out[i][0] - out[i][1];
	return sum;
}

static void test_forget(void **state)
{
	code c = { 0 };
	const float before = transform();

	(void)state;
	dl_iterate_phdr(find, &c);
	if (!c.from || resident(c.from) < 0)
		skip(); /* linked statically, or another machine's program in qemu */
	for (uintptr_t at = c.from; at < c.to; at += 4096)
		(void)*(const volatile char *)at;
	assert_true(resident(c.from) > (long)((c.to - c.from) / 1024 / 2));
	kws_pages_forget();
	assert_in_range(resident(c.from), 0, (c.to - c.from) / 1024 / 8);
	const float after = transform();
	assert_memory_equal(&before, &after, sizeof before);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_forget) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
