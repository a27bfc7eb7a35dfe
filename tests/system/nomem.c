/* nomem.c - loaded before a program (LD_PRELOAD): its KWS_FAIL_AT'th allocation fails, and all after
 * it unless KWS_FAIL_ONCE is set. Counts from the start of main(); KWS_FAIL_COUNT names a file that
 * gets the number of allocations. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

/* kws has a malloc() of its own, which calls these of glibc. */
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t alignment, size_t n);

static void *(*real_malloc)(size_t), *(*real_calloc)(size_t, size_t),
	*(*real_realloc)(void *, size_t), *(*real_memalign)(size_t, size_t);
static atomic_long count;
static long fail_at;
static int once, ready;

static void find(void *to, const char *name)
{
	*(void **)to = dlsym(RTLD_NEXT, name);
}

static void find_all(void)
{
	if (real_memalign)
		return;
	find(&real_malloc, "__libc_malloc");
	find(&real_calloc, "__libc_calloc");
	find(&real_realloc, "__libc_realloc");
	find(&real_memalign, "__libc_memalign");
}

__attribute__((constructor)) static void begin(void)
{
	const char *at = getenv("KWS_FAIL_AT");
	find_all();
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
	find_all();
	if (!ready)
		return 0;
	const long n = atomic_fetch_add(&count, 1) + 1;
	if (!fail_at || (once ? n != fail_at : n < fail_at))
		return 0;
	errno = ENOMEM;
	return 1;
}

void *__libc_malloc(size_t n)
{
	return refused() ? NULL : real_malloc(n);
}

void *__libc_calloc(size_t n, size_t size)
{
	return refused() ? NULL : real_calloc(n, size);
}

void *__libc_realloc(void *p, size_t n)
{
	return refused() ? NULL : real_realloc(p, n);
}

void *__libc_memalign(size_t alignment, size_t n)
{
	return refused() ? NULL : real_memalign(alignment, n);
}
