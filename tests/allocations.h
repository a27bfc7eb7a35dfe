/* allocations.h - every allocation of a test program, counted, or refused: what "nothing is allocated after start" and
 * "nothing is left behind" are proved with. To be included by one file of a program; the functions of the malloc family that
 * it defines go before those of the C library, for the libraries' calls, too. */
#ifndef KWS_TEST_ALLOCATIONS_H
#define KWS_TEST_ALLOCATIONS_H

#include "tests/sanitized.h"

#include <errno.h>
#include <link.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/auxv.h>

static atomic_size_t n_allocations;
static atomic_long n_blocks; /* that were allocated and not freed, but for the dynamic linker's */
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

/* The dynamic linker has a block for each stack that libc keeps for threads to come. How many of these there are depends on
 * how many threads happened to live at once, so the linker's blocks are told apart. What has no place here is counted. */
static _Atomic(void *) of_linker[512];
static const char *linker, *linker_end;

__attribute__((constructor)) static void find_linker(void)
{
	const char *at = (const char *)getauxval(AT_BASE); /* NULL: there is none */
	const ElfW(Ehdr) *e = (const void *)at;

	for (size_t i = 0; at && i < e->e_phnum; i++) {
		const ElfW(Phdr) *h = (const ElfW(Phdr) *)(at + e->e_phoff) + i;

		if (h->p_type == PT_LOAD)
			linker_end = at + h->p_vaddr + h->p_memsz;
	}
	linker = at;
}

static inline bool put(void *in_place_of, void *p)
{
	for (size_t i = 0; i < sizeof of_linker / sizeof *of_linker; i++) {
		void *was = in_place_of;

		if (atomic_compare_exchange_strong(&of_linker[i], &was, p))
			return true;
	}
	return false;
}

static inline void *counted(void *p, const char *caller)
{
	if (p && !(caller >= linker && caller < linker_end && put(NULL, p)))
		n_blocks++;
	return p;
}
#define COUNTED(p) counted(p, __builtin_return_address(0))

static inline void uncount(void *p)
{
	if (p && !put(p, NULL))
		n_blocks--;
}

void *malloc(size_t n)
{
	return REFUSED ? NULL : COUNTED(__libc_malloc(n));
}

void *calloc(size_t n, size_t size)
{
	return REFUSED ? NULL : COUNTED(__libc_calloc(n, size));
}

void *realloc(void *p, size_t n)
{
	if (REFUSED)
		return NULL;
	uncount(p);
	return COUNTED(__libc_realloc(p, n));
}

void *memalign(size_t alignment, size_t n)
{
	return REFUSED ? NULL : COUNTED(__libc_memalign(alignment, n));
}

void *aligned_alloc(size_t alignment, size_t n)
{
	return REFUSED ? NULL : COUNTED(__libc_memalign(alignment, n));
}

int posix_memalign(void **p, size_t alignment, size_t n)
{
	*p = REFUSED ? NULL : COUNTED(__libc_memalign(alignment, n));
	return *p ? 0 : ENOMEM;
}

void free(void *p)
{
	uncount(p);
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
