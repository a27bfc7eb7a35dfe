/* fuzz.h - what every fuzz target shares. One target is one program, so the definitions stand here.
 *
 * A target is LLVMFuzzerTestOneInput(): it returns 0, aborts where a promise is broken, and leaves in
 * fuzz_accepted whether the input was good: replay.c compares that with the folder of each seed. */
#ifndef KWS_TESTS_FUZZ_H
#define KWS_TESTS_FUZZ_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

bool fuzz_accepted;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define demand(held) ((held) ? (void)0 : fuzz_broken(__FILE__, __LINE__, #held))

static inline void fuzz_broken(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
	abort();
}

#endif
