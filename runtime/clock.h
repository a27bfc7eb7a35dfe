/* clock.h - all reading of clocks and all waiting by them, for the whole project. */
#ifndef KWS_RUNTIME_CLOCK_H
#define KWS_RUNTIME_CLOCK_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>

enum kws_clock_id { KWS_CLOCK_MONO, KWS_CLOCK_BOOT, KWS_CLOCK_WALL, KWS_CLOCK_THREAD };

double kws_clock_mono(void);   /* seconds; stands still while the machine is suspended */
double kws_clock_boot(void);   /* seconds; keeps running while the machine is suspended */
double kws_clock_wall(void);   /* seconds since 1970, UTC */
double kws_clock_thread(void); /* CPU time of this thread, seconds */

/* Threads, and all waiting with a timeout. */

/* As pthread_create. */
int kws_clock_start(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *arg),
		    void *arg);

void kws_clock_cond_init(pthread_cond_t *c);
/* Wait for c (from kws_clock_cond_init) with lock held, at most until `until' on the monotonic
 * clock; INFINITY: for ever. May return for no reason, as pthread_cond_wait. False: the time is
 * over. */
bool kws_clock_wait(pthread_cond_t *c, pthread_mutex_t *lock, double until);
/* Wake all threads that wait for c. Their lock MUST be held. */
void kws_clock_wake(pthread_cond_t *c);
void kws_clock_sleep(double s);
/* As epoll_wait, but until `until' on the monotonic clock; INFINITY: for ever. */
int kws_clock_poll(int epoll, struct epoll_event *events, int n, double until);

/* For tests: use another clock instead of the real one; NULL: the real one again. Only while there
 * is one thread. tests/fake/clock.h is such a clock. */
typedef struct {
	double (*now)(enum kws_clock_id id);
	int (*start)(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *arg),
		     void *arg);
	bool (*wait)(pthread_cond_t *c, pthread_mutex_t *lock, double until);
	void (*wake)(pthread_cond_t *c);
	void (*sleep)(double s);
	int (*poll)(int epoll, struct epoll_event *events, int n, double until);
} kws_clock;
void kws_clock_use(const kws_clock *c);

#endif
