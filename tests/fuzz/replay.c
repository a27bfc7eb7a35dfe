/* replay.c - run a fuzz target without a fuzzer: on every file in the named folders (and below), in
 * the order of names.
 *
 * Each input is a block of its own exact size, so that ASan and memcheck see a read behind it. The
 * exit status is 1 when a file cannot be read or there is none at all; a target that finds a fault
 * aborts. */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int complain(const char *path)
{
	fprintf(stderr, "%s: %s\n", path, strerror(errno));
	return -1;
}

/* Returns 1, or -1 when the file cannot be read. */
static int replay_file(const char *path, size_t size)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = malloc(size ? size : 1);
	int result = -1;
	if (f && data && fread(data, 1, size, f) == size) {
		LLVMFuzzerTestOneInput(data, size);
		result = 1;
	} else {
		complain(path);
	}
	free(data);
	if (f)
		fclose(f);
	return result;
}

static int replay(const char *path);

static int replay_folder(const char *path)
{
	struct dirent **names = NULL;
	const int n = scandir(path, &names, NULL, alphasort);
	int total = 0;
	if (n < 0)
		return complain(path);
	for (int i = 0; i < n; i++) {
		char inside[4096];
		const int len = snprintf(inside, sizeof inside, "%s/%s", path, names[i]->d_name);
		if (names[i]->d_name[0] != '.' && total >= 0) {
			const int k = len < (int)sizeof inside ? replay(inside) : -1;
			total = k < 0 ? -1 : total + k;
		}
		free(names[i]);
	}
	free(names);
	return total;
}

/* Returns how many inputs were run, -1 after a complaint. */
static int replay(const char *path)
{
	struct stat st;
	if (stat(path, &st) != 0)
		return complain(path);
	return S_ISDIR(st.st_mode) ? replay_folder(path) : replay_file(path, (size_t)st.st_size);
}

int main(int argc, char **argv)
{
	int total = 0;
	for (int i = 1; i < argc; i++) {
		const int n = replay(argv[i]);
		if (n < 0)
			return 1;
		total += n;
	}
	printf("%s: %d inputs\n", argv[0], total);
	return total == 0;
}
