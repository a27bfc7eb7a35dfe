#define _GNU_SOURCE /* close_range */
#include "descriptors.h"

#include <fcntl.h>
#include <unistd.h>

static bool fill(int fd, int flags)
{
	int got;

	if (fcntl(fd, F_GETFD) >= 0)
		return true;
	got = open("/dev/null", flags); /* the lowest free one */
	if (got >= 0 && got != fd)
		close(got);
	return got == fd;
}

bool kws_start(void)
{
	if (!fill(STDIN_FILENO, O_WRONLY) || !fill(STDOUT_FILENO, O_RDONLY)
	    || !fill(STDERR_FILENO, O_WRONLY))
		return false;
	close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC); /* an old kernel cannot */
	return true;
}

static bool opened_for(int fd, int wrong_way)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && (flags & O_ACCMODE) != wrong_way;
}

bool kws_start_has_stdin(void)
{
	return opened_for(STDIN_FILENO, O_WRONLY);
}

bool kws_start_has_stdout(void)
{
	return opened_for(STDOUT_FILENO, O_RDONLY);
}
