#include "find_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The model's path relative to the program's folder in a build tree. */
#define BUILD_TREE_MODEL "../config/models/commands-12.safetensors"

bool kws_find_beside(const char *name, char *path, size_t n)
{
	ssize_t len = readlink("/proc/self/exe", path, n - 1);

	if (len <= 0)
		return false;
	path[len] = '\0';
	char *slash = strrchr(path, '/');
	if (!slash || (size_t)(slash + 1 - path) + strlen(name) >= n)
		return false;
	memcpy(slash + 1, name, strlen(name) + 1);
	return true;
}

/* The model of the source tree whose build folder holds this program. */
static bool build_tree_model(char *path, size_t n)
{
	return kws_find_beside(BUILD_TREE_MODEL, path, n) && access(path, R_OK) == 0;
}

void kws_find_model(const char *wanted, char *path, size_t n)
{
	const char *named = getenv("KWS_MODEL");

	if (!wanted && named && *named)
		wanted = named;
	if (!wanted && build_tree_model(path, n))
		return;
	snprintf(path, n, "%s", wanted ? wanted : KWS_MODEL_PATH);
}
