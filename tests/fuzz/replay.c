/* replay.c - run a fuzz target without a fuzzer: on every file in the named folders (and below), in
 * the order of names.
 *
 * Each input is a block of its own exact size, so that ASan and memcheck see a read behind it. What
 * stands in a folder `ok' has to be accepted, what stands in `bad' refused. The exit status is 1 when
 * one is not, when a file cannot be read, and when nothing at all was accepted: seeds that are all
 * refused test nothing. A target that finds a fault aborts. */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

extern bool fuzz_accepted;
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { EITHER, OK, BAD };

static int n_inputs, n_accepted, n_wrong;

static void complain(const char *path, const char *what)
{
	fprintf(stderr, "%s: %s\n", path, what);
	n_wrong++;
}

static void replay_file(const char *path, size_t size, int want)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = malloc(size ? size : 1);
	if (f && data && fread(data, 1, size, f) == size) {
		fuzz_accepted = false;
		LLVMFuzzerTestOneInput(data, size);
		n_inputs++;
		n_accepted += fuzz_accepted;
		if (want != EITHER && fuzz_accepted != (want == OK))
			complain(path, fuzz_accepted ? "accepted, but stands among the bad"
						     : "refused, but stands among the good");
	} else {
		complain(path, strerror(errno));
	}
	free(data);
	if (f)
		fclose(f);
}

static void replay(const char *path, int want);

static void replay_folder(const char *path, int want)
{
	struct dirent **names = NULL;
	const int n = scandir(path, &names, NULL, alphasort);
	if (n < 0)
		complain(path, strerror(errno));
	for (int i = 0; i < n; i++) {
		const char *name = names[i]->d_name;
		char inside[4096];
		if (name[0] != '.') {
			snprintf(inside, sizeof inside, "%s/%s", path, name);
			replay(inside, strcmp(name, "ok") == 0	  ? OK
				       : strcmp(name, "bad") == 0 ? BAD
								  : want);
		}
		free(names[i]);
	}
	free(names);
}

static void replay(const char *path, int want)
{
	struct stat st;
	if (stat(path, &st) != 0)
		complain(path, strerror(errno));
	else if (S_ISDIR(st.st_mode))
		replay_folder(path, want);
	else
		replay_file(path, (size_t)st.st_size, want);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		replay(argv[i], EITHER);
	printf("%s: %d inputs, %d accepted\n", argv[0], n_inputs, n_accepted);
	if (!n_accepted)
		complain(argv[0], "no input was accepted");
	return n_wrong != 0;
}
