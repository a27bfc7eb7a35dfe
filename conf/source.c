#include "conf/source.h"

#include "find_model.h"

#include <unistd.h>

/* If the section has no path, set the absolute path of the default model of kws. */
static int default_model(kws_conf *c, size_t i, kws_conf_error_fn *fn, void *ctx)
{
	enum { PATH = 4096 };
	char found[PATH], folder[PATH] = "", set[2 * PATH + 64];
	const char *name = c->model[i].name;

	if (*c->model[i].path)
		return 0;
	kws_find_model(NULL, found, sizeof found);
	const bool relative = *found != '/' && getcwd(folder, sizeof folder);
	snprintf(set, sizeof set, "model%s%s.path=%.*s%s%.*s", *name ? " " : "", name, PATH, folder,
		 relative ? "/" : "", PATH, found);
	return kws_conf_set(c, set, fn, ctx);
}

int kws_conf_gather(kws_conf *c, const kws_conf_source *src, const char *who, kws_conf_error_fn *fn,
		    void *ctx)
{
	int errors = 0;

	kws_conf_begin(c);
	if (src->path && !(src->optional && access(src->path, F_OK) != 0))
		errors += kws_conf_read(c, src->path, fn, ctx);
	if (src->path)
		errors += kws_conf_read_dropins(c, src->path, fn, ctx);
	for (size_t i = 0; i < src->n_set; i++)
		errors += kws_conf_set(c, src->set[i], fn, ctx);
	kws_conf_end(c);
	for (size_t i = 0; i < c->n_model; i++)
		errors += default_model(c, i, fn, ctx);
	return errors ? errors : kws_conf_check(c, src->path ? src->path : who, fn, ctx);
}
