#include "gateway/web/textfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum kws_status failed(kws_error *err, const char *path, int code)
{
	return kws_fail(err, KWS_ERR_IO, "[web] textfile: %s: %s", path, kws_strerrno(code));
}

enum kws_status kws_textfile_write(const char *path, const char *text, size_t n, kws_error *err)
{
	char other[256];
	int fd, code = 0;
	ssize_t k = 0;

	/* the collector reads only *.prom */
	if (snprintf(other, sizeof other, "%s.new", path) >= (int)sizeof other)
		return failed(err, path, ENAMETOOLONG);
	fd = open(other, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return failed(err, path, errno);
	for (size_t at = 0; at < n && k >= 0; at += (size_t)k)
		k = write(fd, text + at, n - at);
	if (k < 0 || fchmod(fd, 0644) != 0) /* whatever the umask says: others read it */
		code = errno;
	if (close(fd) != 0 && !code)
		code = errno;
	if (!code && rename(other, path) != 0)
		code = errno;
	if (!code)
		return KWS_OK;
	unlink(other);
	return failed(err, path, code);
}
