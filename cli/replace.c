#include "cli/replace.h"

#include "cli/out.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char SUFFIX[] = ".XXXXXX";

bool kws_replace_open(kws_replace *r, const char *path)
{
	size_t n = strlen(path);
	int fd = -1;
	struct stat st;
	*r = (kws_replace){ .path = path };
	/* write to a device or a pipe, do not replace it */
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) {
		r->temporary = path;
		r->to = fopen(path, "wb");
		if (!r->to)
			kws_out_complain("%s: %s", path, strerror(errno));
		return r->to != NULL;
	}
	r->own = malloc(n + sizeof SUFFIX);
	if (r->own) {
		memcpy(r->own, path, n);
		memcpy(r->own + n, SUFFIX, sizeof SUFFIX);
		fd = mkstemp(r->own);
	}
	/* mkstemp() gives no rights to others; use the user's umask */
	mode_t mask = umask(0);
	umask(mask);
	if (fd >= 0 && fchmod(fd, 0666 & ~mask) == 0)
		r->to = fdopen(fd, "wb");
	if (r->to) {
		r->temporary = r->own;
		return true;
	}
	kws_out_complain("%s: %s", path, strerror(errno));
	if (fd >= 0) {
		close(fd);
		unlink(r->own);
	}
	free(r->own);
	return false;
}

bool kws_replace_finish(kws_replace *r, bool good)
{
	bool written =
		fflush(r->to) == 0 && !ferror(r->to) && (!r->own || fsync(fileno(r->to)) == 0);
	written = fclose(r->to) == 0 && written;
	if (good && (!written || (r->own && rename(r->own, r->path) != 0))) {
		kws_out_complain("%s: %s", r->path, strerror(errno));
		good = false;
	}
	if (!good && r->own)
		unlink(r->own);
	free(r->own);
	return good;
}
