/* clock.h - the only place of the project that reads clocks and waits by them. */
#ifndef KWS_DAEMON_CLOCK_H
#define KWS_DAEMON_CLOCK_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>

enum kws_clock_id { KWS_CLOCK_MONO, KWS_CLOCK_BOOT, KWS_CLOCK_WALL, KWS_CLOCK_THREAD };

double kws_clock_mono(void);   /* seconds, stands still while the machine is suspended */
double kws_clock_boot(void);   /* seconds, goes on while the machine is suspended */
double kws_clock_wall(void);   /* seconds since 1970, UTC */
double kws_clock_thread(void); /* seconds of processor that this thread has had */

/* Threads, and all waiting of the daemon that time can end. */

/* As pthread_create. */
int kws_clock_start(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *arg),
		    void *arg);

void kws_clock_cond_init(pthread_cond_t *c);
/* Wait for c, which kws_clock_cond_init made, with lock held, at most until then on the monotonic clock;
 * INFINITY: for ever. May come back for no reason, as pthread_cond_wait. False: it is late enough. */
bool kws_clock_wait(pthread_cond_t *c, pthread_mutex_t *lock, double until);
/* All who wait for c. The lock that they wait with MUST be held. */
void kws_clock_wake(pthread_cond_t *c);
void kws_clock_sleep(double s);
/* As epoll_wait, until then on the monotonic clock; INFINITY: for ever. */
int kws_clock_poll(int epoll, struct epoll_event *events, int n, double until);

/* For tests: another clock in the place of the real one, while there is one thread; NULL: the real one.
 * tests/fake/clock.h is one. */
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
