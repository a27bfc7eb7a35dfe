/* nomem.c - loaded before a program (LD_PRELOAD): its KWS_FAIL_AT'th allocation fails, and all after
 * it unless KWS_FAIL_ONCE is set. Counts from the start of main(); KWS_FAIL_COUNT names a file that
 * gets the number of allocations. */
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t alignment, size_t n);

static atomic_long count;
static long fail_at;
static int once, ready;

__attribute__((constructor)) static void begin(void)
{
	const char *at = getenv("KWS_FAIL_AT");
	fail_at = at ? atol(at) : 0;
	once = getenv("KWS_FAIL_ONCE") != NULL;
	ready = 1;
}

__attribute__((destructor)) static void end(void)
{
	const char *name = getenv("KWS_FAIL_COUNT");
	ready = 0;
	FILE *f = name ? fopen(name, "w") : NULL;
	if (!f)
		return;
	fprintf(f, "%ld\n", atomic_load(&count));
	fclose(f);
}

static int refused(void)
{
	if (!ready)
		return 0;
	const long n = atomic_fetch_add(&count, 1) + 1;
	if (!fail_at || (once ? n != fail_at : n < fail_at))
		return 0;
	errno = ENOMEM;
	return 1;
}

void *malloc(size_t n)
{
	return refused() ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
	return refused() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
	return refused() ? NULL : __libc_realloc(p, n);
}

void *aligned_alloc(size_t alignment, size_t n)
{
	return refused() ? NULL : __libc_memalign(alignment, n);
}

int posix_memalign(void **p, size_t alignment, size_t n)
{
	*p = refused() ? NULL : __libc_memalign(alignment, n);
	return *p ? 0 : ENOMEM;
}
