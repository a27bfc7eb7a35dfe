/* allocations.h - every allocation of a test program, counted, or refused: what "nothing is allocated after start" and
 * "nothing is left behind" are proved with. To be included by one file of a program; the functions of the malloc family that
 * it defines go before those of the C library, for the libraries' calls, too. */
#ifndef KWS_TEST_ALLOCATIONS_H
#define KWS_TEST_ALLOCATIONS_H

#include "tests/sanitized.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

static atomic_size_t n_allocations;
static atomic_long n_blocks; /* that were allocated and not freed */
/* By the code that is linked into the program, its own. The one that fails finds no memory; 0: none. */
static atomic_size_t n_own_allocations, own_allocation_that_fails;

/* The sanitizers have an allocator of their own; so has valgrind, in front of this one. */
#if defined(__GLIBC__) && !KWS_TEST_SANITIZED

extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t n);
extern void *__libc_memalign(size_t alignment, size_t n);
extern void __libc_free(void *p);
void *memalign(size_t alignment, size_t n);

extern const char __executable_start[], etext[]; /* of the program's code; the linker says it */

static inline bool is_refused(const void *caller)
{
	const char *at = caller;

	n_allocations++;
	if (at < __executable_start || at >= etext
	    || ++n_own_allocations != own_allocation_that_fails)
		return false;
	errno = ENOMEM;
	return true;
}
#define REFUSED is_refused(__builtin_return_address(0))

static inline void *counted(void *p)
{
	n_blocks += p != NULL;
	return p;
}

void *malloc(size_t n)
{
	return REFUSED ? NULL : counted(__libc_malloc(n));
}

void *calloc(size_t n, size_t size)
{
	return REFUSED ? NULL : counted(__libc_calloc(n, size));
}

void *realloc(void *p, size_t n)
{
	if (REFUSED)
		return NULL;
	return p ? __libc_realloc(p, n) : counted(__libc_realloc(p, n));
}

void *memalign(size_t alignment, size_t n)
{
	return REFUSED ? NULL : counted(__libc_memalign(alignment, n));
}

void *aligned_alloc(size_t alignment, size_t n)
{
	return REFUSED ? NULL : counted(__libc_memalign(alignment, n));
}

int posix_memalign(void **p, size_t alignment, size_t n)
{
	*p = REFUSED ? NULL : counted(__libc_memalign(alignment, n));
	return *p ? 0 : ENOMEM;
}

void free(void *p)
{
	n_blocks -= p != NULL;
	__libc_free(p);
}

#endif

/* false: another allocator is in force, and nothing can be proved. */
static inline bool allocations_are_counted(void)
{
	const size_t before = n_allocations;
	void *volatile p = malloc(1);
	free(p);
	return n_allocations == before + 1;
}

#endif
