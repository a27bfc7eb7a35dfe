#include "gateway/web/clip.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LONGEST = 127 };

bool kws_clip_is_name(const char *name)
{
	static const char form[] = "00000000T000000.000Z-";
	static const char plain[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
	const size_t n = strlen(name);

	if (n > LONGEST || n < sizeof form + 4 || strspn(name, plain) != n)
		return false;
	for (size_t i = 0; form[i]; i++)
		if (form[i] == '0' ? name[i] < '0' || name[i] > '9' : name[i] != form[i])
			return false;
	return !strcmp(name + n - 4, ".wav");
}

int kws_clip_open(const char *folder, const char *name, off_t *size)
{
	const int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	int fd = -1, code;

	if (dir < 0)
		return -1;
	errno = ENOENT;
	if (kws_clip_is_name(name))
		fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	code = errno;
	close(dir);
	if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))) {
		close(fd);
		fd = -1;
		code = ENOENT;
	}
	if (fd >= 0)
		*size = st.st_size;
	errno = code;
	return fd;
}
