/* allocs.h - every allocation of the process, counted: what "nothing is allocated after start" is
 * measured with. */
#ifndef KWS_CLI_ALLOCS_H
#define KWS_CLI_ALLOCS_H

#include <stddef.h>

typedef struct {
	size_t calls;  /* of malloc, calloc, realloc and their kin, by anybody: us, libraries, other
			 threads */
	size_t bytes;  /* asked for in them; never goes down */
	size_t failed; /* of them; 0 where the sanitizers have an allocator of their own */
} kws_allocs;

kws_allocs kws_allocs_now(void);

#endif
