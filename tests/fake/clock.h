/* clock.h - a clock that stands still until somebody waits for it.
 *
 * Time moves only while the test's own thread waits, and all threads started by kws_clock_start
 * wait, too. Then it jumps to the next moment that one of them waits for. So days pass in minutes,
 * and every run is the same. Only CPU time stays real.
 *
 * Any thread may call the functions of runtime/clock.h. Those below are for the test's own thread,
 * unless said otherwise. */
#ifndef KWS_TESTS_FAKE_CLOCK_H
#define KWS_TESTS_FAKE_CLOCK_H

#include <stdint.h>

/* Use the fake clock: monotonic and boot time are now 1000 s, wall time is wall. No thread may
 * still wait from before. */
void fake_clock_start(double wall);
/* Use the real clock again. Threads that still wait will wait for ever. */
void fake_clock_stop(void);

/* Let that much time pass. */
void fake_clock_pass(double s);
/* Let all other threads run until each of them waits. */
void fake_clock_settle(void);

/* Call fn at this time of the monotonic clock, on the thread whose waiting moves the time. Calls
 * for the same time are in the order in which they were set. fn must not wait. */
typedef void fake_clock_fn(void *ctx);
void fake_clock_at(double mono, fake_clock_fn *fn, void *ctx);

void fake_clock_set_wall(double by_s); /* move the wall clock, forward or back */
void fake_clock_suspend(double s);     /* the machine sleeps */

/* For other threads of fakes: wait until fake_clock_release(what). */
void fake_clock_hang(const void *what);
void fake_clock_release(const void *what);

#endif
