#include "conf/conf.h"

#include <nettle/sha2.h>
#include <stdlib.h>

bool kws_conf_hash(const kws_conf *c, char hex[KWS_CONF_HASH])
{
	uint8_t digest[SHA256_DIGEST_SIZE];
	struct sha256_ctx ctx;
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);
	bool done = false;

	hex[0] = 0;
	if (f) {
		kws_conf_print(c, f);
		done = fclose(f) == 0;
	}
	if (done) {
		sha256_init(&ctx);
		sha256_update(&ctx, n, (const uint8_t *)text);
		sha256_digest(&ctx, sizeof digest, digest);
		for (size_t i = 0; i < sizeof digest; i++)
			snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	}
	free(text);
	return done;
}
