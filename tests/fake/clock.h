/* clock.h - a clock that stands still until somebody waits for it.
 *
 * Time moves only while the test's own thread waits, and only when every thread that kws_clock_start
 * started waits, too: then it jumps to the next moment for which one waits. So days pass in minutes, and
 * every run is the same. The processor's time alone stays the real one.
 *
 * Everything but the clock's own functions, which any thread may call, is for the test's own thread. */
#ifndef KWS_TESTS_FAKE_CLOCK_H
#define KWS_TESTS_FAKE_CLOCK_H

#include <stdint.h>

/* Monotonic and boot time are 1000 s now, the wall clock says wall. No thread that waits may be left
 * from before. */
void fake_clock_start(double wall);
/* The real clock again. Threads that still wait are left to wait for ever. */
void fake_clock_stop(void);

/* Let that much time pass. */
void fake_clock_pass(double s);
/* Let all other threads go on until each waits. */
void fake_clock_settle(void);

/* Call fn when the time has come, on the monotonic clock, on the thread whose waiting lets it come. What
 * was set first is called first. fn must not wait. */
typedef void fake_clock_fn(void *ctx);
void fake_clock_at(double mono, fake_clock_fn *fn, void *ctx);

void fake_clock_set_wall(double by_s); /* somebody sets it, forward or back */
void fake_clock_suspend(double s);     /* the machine sleeps */

/* For other threads of fakes: wait until fake_clock_release(what). */
void fake_clock_hang(const void *what);
void fake_clock_release(const void *what);

#endif
