#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "model/blob.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* All of the file into blob (size,): what is there now, whatever others do to it meanwhile. */
static enum kws_status read_blob(unsigned char *blob, size_t size, int fd, kws_error *err)
{
	size_t n = 0;
	while (n < size) {
		const ssize_t k = read(fd, blob + n, size - n);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return kws_fail(err, KWS_ERR_IO, "%s", kws_strerrno(errno));
		if (k == 0)
			return kws_fail(err, KWS_ERR_IO, "became shorter while it was read");
		n += (size_t)k;
	}
	return KWS_OK;
}

/* A file that is being written is half of the old and half of the new. */
static bool unchanged(const struct stat *a, const struct stat *b)
{
	return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec
	       && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static enum kws_status read_file(kws_blob *b, int fd, const struct stat *st, kws_error *err)
{
	const size_t size = (size_t)st->st_size;
	struct stat now;
	/* not malloc: this room goes back to the system at once */
	void *blob = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (blob == MAP_FAILED)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	enum kws_status s = read_blob(blob, size, fd, err);
	if (!s && fstat(fd, &now) < 0)
		s = kws_fail(err, KWS_ERR_IO, "%s", kws_strerrno(errno));
	if (!s && !unchanged(st, &now))
		s = kws_fail(err, KWS_ERR_IO, "was written to while it was read");
	if (s)
		munmap(blob, size);
	else
		*b = (kws_blob){ blob, size };
	return s;
}

enum kws_status kws_blob_open(kws_blob *b, const char *path, kws_error *err)
{
	struct stat st;
	*b = (kws_blob){ 0 };
	/* a named pipe is told below, not waited for */
	const int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return kws_fail(err, KWS_ERR_IO, "%s", kws_strerrno(errno));
	enum kws_status s = KWS_OK;
	if (fstat(fd, &st) < 0)
		s = kws_fail(err, KWS_ERR_IO, "%s", kws_strerrno(errno));
	else if (!S_ISREG(st.st_mode))
		s = kws_fail(err, KWS_ERR_IO, "not a regular file");
	else if (st.st_size < 8 || st.st_size > KWS_MAX_FILE)
		s = kws_fail(err, KWS_ERR_FORMAT, "%lld bytes: not a model file",
			     (long long)st.st_size);
	else
		s = read_file(b, fd, &st, err);
	close(fd);
	return s;
}

void kws_blob_close(kws_blob *b)
{
	if (b->bytes)
		munmap(b->bytes, b->len);
	*b = (kws_blob){ 0 };
}

void kws_hex(char *hex, const unsigned char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
}

void kws_hash(char *hex, const void *bytes, size_t len)
{
	struct sha256_ctx ctx;
	uint8_t digest[SHA256_DIGEST_SIZE];
	sha256_init(&ctx);
	sha256_update(&ctx, len, bytes);
	sha256_digest(&ctx, sizeof digest, digest);
	kws_hex(hex, digest, sizeof digest);
}
