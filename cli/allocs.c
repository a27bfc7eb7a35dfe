/* allocs.c - the program's own malloc family in front of glibc's, so that the libraries' calls are counted too. */
#include "cli/allocs.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

static atomic_size_t calls, bytes, failed;

kws_allocs kws_allocs_now(void)
{
	return (kws_allocs){ atomic_load(&calls), atomic_load(&bytes), atomic_load(&failed) };
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature) /* clang's way to say it */
#define SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define SANITIZED 0
#endif

#if defined(__GLIBC__) && !SANITIZED

extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t n);
extern void *__libc_memalign(size_t alignment, size_t n);

static void count(size_t n)
{
	atomic_fetch_add_explicit(&calls, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&bytes, n, memory_order_relaxed);
}

static void *given(void *p, size_t n)
{
	if (!p && n)
		atomic_fetch_add_explicit(&failed, 1, memory_order_relaxed);
	return p;
}

void *malloc(size_t n)
{
	count(n);
	return given(__libc_malloc(n), n);
}

void *calloc(size_t n, size_t size)
{
	count(n * size);
	return given(__libc_calloc(n, size), n && size);
}

void *realloc(void *p, size_t n)
{
	count(n);
	return given(__libc_realloc(p, n), n);
}

void *aligned_alloc(size_t alignment, size_t n)
{
	count(n);
	return given(__libc_memalign(alignment, n), n);
}

int posix_memalign(void **p, size_t alignment, size_t n)
{
	count(n);
	*p = given(__libc_memalign(alignment, n), n);
	return *p ? 0 : ENOMEM;
}

void *memalign(size_t alignment, size_t n);
void *memalign(size_t alignment, size_t n)
{
	count(n);
	return given(__libc_memalign(alignment, n), n);
}

#endif
