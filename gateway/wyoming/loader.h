/* loader.h - opens models in another thread, while clients are served. */
#ifndef KWS_WYOMING_LOADER_H
#define KWS_WYOMING_LOADER_H

#include "gateway/wyoming/roster.h"
#include "runtime/loop.h"

typedef struct kws_loader kws_loader;

/* Called on the loop's thread when the models of c are open: r belongs to the callee. r NULL: they
 * could not be opened, and err says why. */
typedef void kws_loader_fn(void *ctx, kws_roster *r, const kws_conf *c, const kws_error *err);

enum kws_status kws_loader_create(kws_loader **out, kws_loop *l, kws_loader_fn *fn, void *ctx,
				  kws_error *err);
void kws_loader_destroy(kws_loader *l); /* waits for models that are being opened */

/* Open the models of c, which is copied. now, or NULL, MUST live until fn is called. The loader MUST
 * NOT be busy. If no thread can be started, fn is called at once. */
void kws_loader_begin(kws_loader *l, const kws_conf *c, const kws_roster *now);
bool kws_loader_is_busy(const kws_loader *l);

#endif
