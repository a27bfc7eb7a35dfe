#include "cli/progress.h"

#include <stdio.h>
#include <unistd.h>

static double seconds_since(const struct timespec *then)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - then->tv_sec) + 1e-9 * (double)(now.tv_nsec - then->tv_nsec);
}

void kws_progress_start(kws_progress *p, size_t total)
{
	*p = (kws_progress){ .on = isatty(STDERR_FILENO) == 1, .total = total };
	clock_gettime(CLOCK_MONOTONIC, &p->start);
	p->last = p->start;
}

void kws_progress_show(kws_progress *p, size_t done, double audio_s)
{
	enum { WIDTH = 24 };
	double took = p->on ? seconds_since(&p->start) : 0.0;
	if (took < 1.0 || done == 0 || done >= p->total
	    || (p->visible && seconds_since(&p->last) < 0.1))
		return;
	char bar[WIDTH + 1];
	size_t filled = done * WIDTH / p->total;
	for (size_t i = 0; i < WIDTH; i++)
		bar[i] = i < filled ? '#' : '.';
	bar[WIDTH] = '\0';
	double left = took / (double)done * (double)(p->total - done);
	unsigned long whole = (unsigned long)(left + 0.5);
	fprintf(stderr,
		"\r[%s] %3zu%%  %zu of %zu  %.0f files/s  %.0f x real time  %lu:%02lu left\033[K",
		bar, done * 100 / p->total, done, p->total, (double)done / took, audio_s / took,
		whole / 60, whole % 60);
	fflush(stderr);
	p->visible = true;
	clock_gettime(CLOCK_MONOTONIC, &p->last);
}

void kws_progress_clear(kws_progress *p)
{
	if (!p->visible)
		return;
	fputs("\r\033[K", stderr);
	fflush(stderr);
	p->visible = false;
}
