/* thread_pool.h - threads that do numbered jobs, started in the order of their numbers. */
#ifndef KWS_CORPUS_THREAD_POOL_H
#define KWS_CORPUS_THREAD_POOL_H

#include "kws.h"

#include <stdbool.h>

enum { KWS_THREAD_POOL_MOST = 256 };

/* One thread per processor; 1 if that is more than KWS_THREAD_POOL_MOST, or unknown. */
unsigned kws_thread_pool_default(void);

typedef struct kws_thread_pool kws_thread_pool;

/* Does job number `job'; worker < n_threads identifies the thread, which may keep data from job to
 * job. Returns the seconds of audio in the job, for the progress. */
typedef double kws_work_fn(void *ctx, size_t worker, size_t job);

/* Start threads: at most n_threads (0..KWS_THREAD_POOL_MOST), at most n_jobs, and as many as the
 * system allows. Without any, kws_thread_pool_wait() does the work. ctx MUST outlive the pool.
 * KWS_ERR_NOMEM. */
enum kws_status kws_thread_pool_create(kws_thread_pool **out, size_t n_threads, size_t n_jobs,
				       kws_work_fn *work, void *ctx);

typedef struct {
	size_t n_done;	/* jobs */
	double audio_s; /* in them */
} kws_work_progress;

/* Wait until a job is done (n_jobs: all jobs), at most 100 ms. Returns whether it is done. The
 * caller then owns what the job wrote. progress may be NULL. */
bool kws_thread_pool_wait(kws_thread_pool *w, size_t job, kws_work_progress *progress);

/* Waits for the jobs that have begun; the others are not done. */
void kws_thread_pool_destroy(kws_thread_pool *w);

#endif
