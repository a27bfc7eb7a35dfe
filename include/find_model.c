#include "find_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* A file of the source tree whose build folder holds this program. */
static bool find_in_tree(const char *name, char *path, size_t n)
{
	char beside[256];

	snprintf(beside, sizeof beside, "../config/models/%s", name);
	return kws_find_beside(beside, path, n) && access(path, R_OK) == 0;
}

void kws_find_model(const char *wanted, char *path, size_t n)
{
	const char *named = getenv("KWS_MODEL");

	if (!wanted && named && *named)
		wanted = named;
	if (wanted)
		snprintf(path, n, "%s", wanted);
	else
		kws_find_shipped(strrchr(KWS_MODEL_PATH, '/') + 1, path, n);
}

void kws_find_shipped(const char *name, char *path, size_t n)
{
	const char *slash = strrchr(KWS_MODEL_PATH, '/');

	if (!find_in_tree(name, path, n))
		snprintf(path, n, "%.*s/%s", (int)(slash - KWS_MODEL_PATH), KWS_MODEL_PATH, name);
}

size_t kws_find_of_service(const char *variable, const char *name, char *path, size_t n)
{
	const char *folders = getenv(variable);

	path[0] = '\0';
	if (!folders || *folders != '/')
		return 0;
	return (size_t)snprintf(path, n, "%.*s/%s", (int)strcspn(folders, ":"), folders, name);
}
