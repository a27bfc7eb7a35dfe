/* seeds.c - write the seeds that are made by code: `seeds DIR`. `make seeds` runs it on tests/fuzz/seeds. `seeds --check DIR`
 * writes nothing, and says which of them differ from what stands there: the format of a model file has changed, or somebody
 * has edited a seed. */
#include "tests/fuzz/craft.h"
#include "tests/fuzz/kinds.h"

#include <errno.h>
#include <sys/stat.h>

static const char *root;
static bool only_check;
static int n_differ;

static void complain(const char *path, const char *what)
{
	fprintf(stderr, "%s: %s\n", path, what);
	n_differ++;
}

static void compare(const char *path, const unsigned char *bytes, size_t n)
{
	FILE *f = fopen(path, "rb");
	size_t i = 0;
	int byte = 0;
	if (!f) {
		complain(path, strerror(errno));
		return;
	}
	while ((byte = getc(f)) != EOF && i < n && byte == bytes[i])
		i++;
	if (byte != EOF || i != n)
		complain(path, "not as the code writes it; `make seeds' writes all of them anew");
	fclose(f);
}

/* Folders are made as they are needed. */
static void put(const char *name, const void *bytes, size_t n)
{
	char path[4096];
	snprintf(path, sizeof path, "%s/%s", root, name);
	if (only_check) {
		compare(path, bytes, n);
		return;
	}
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0777); /* the file tells whether it is there */
		*slash = '/';
	}
	FILE *f = fopen(path, "wb");
	const bool good = f && fwrite(bytes, 1, n, f) == n;
	if ((f && fclose(f) != 0) || !good)
		complain(path, strerror(errno));
}

static void put_model(const char *to, size_t i, const void *head, size_t n_head)
{
	char name[256];
	size_t len;
	unsigned char *model = craft_model(kinds[i].name, kinds[i].features, kinds[i].network,
					   DECISION, i + 1, &len);
	unsigned char *whole = malloc(n_head + len);
	if (!whole)
		abort();
	if (n_head)
		memcpy(whole, head, n_head);
	memcpy(whole + n_head, model, len);
	snprintf(name, sizeof name, "%s/%s", to, kinds[i].name);
	put(name, whole, n_head + len);
	free(model);
	free(whole);
}

int main(int argc, char **argv)
{
	only_check = argc == 3 && strcmp(argv[1], "--check") == 0;
	if (argc != 2 + only_check) {
		fprintf(stderr, "usage: seeds [--check] DIR\n");
		return 2;
	}
	root = argv[argc - 1];
	for (size_t i = 0; i < N_KINDS; i++)
		put_model("fuzz_model/ok", i, "", 0);
	return n_differ != 0;
}
