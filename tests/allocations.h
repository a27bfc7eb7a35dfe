/* allocations.h - every allocation of a test program, counted: what "nothing is allocated after start" is proved with. To be
 * included by one file of a program; the functions of the malloc family that it defines go before those of the C library,
 * for the libraries' calls, too. */
#ifndef KWS_TEST_ALLOCATIONS_H
#define KWS_TEST_ALLOCATIONS_H

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

static atomic_size_t n_allocations;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define KWS_TEST_SANITIZED 1
#elif defined(__has_feature) /* clang's way to say it */
#define KWS_TEST_SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define KWS_TEST_SANITIZED 0
#endif

/* The sanitizers have an allocator of their own; so has valgrind, in front of this one. */
#if defined(__GLIBC__) && !KWS_TEST_SANITIZED

extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t n);
extern void *__libc_memalign(size_t alignment, size_t n);
void *memalign(size_t alignment, size_t n);

void *malloc(size_t n)
{
	n_allocations++;
	return __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
	n_allocations++;
	return __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
	n_allocations++;
	return __libc_realloc(p, n);
}

void *aligned_alloc(size_t alignment, size_t n)
{
	n_allocations++;
	return __libc_memalign(alignment, n);
}

void *memalign(size_t alignment, size_t n)
{
	n_allocations++;
	return __libc_memalign(alignment, n);
}

int posix_memalign(void **p, size_t alignment, size_t n)
{
	n_allocations++;
	*p = __libc_memalign(alignment, n);
	return *p ? 0 : ENOMEM;
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
