#include "gateway/web/page.h"

#include <nettle/base64.h>
#include <nettle/sha2.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* The file as it is, with a final 0. The Makefile names it as what this file depends on. */
__asm__(".pushsection .rodata\n"
	".global kws_page_begin\n"
	"kws_page_begin: .incbin \"gateway/web/page.html\"\n"
	"0: .byte 0\n"
	".balign 8\n"
	".global kws_page_bytes\n"
	"kws_page_bytes: .8byte 0b - kws_page_begin\n"
	".popsection\n");

extern const char kws_page_begin[];
extern const uint64_t kws_page_bytes;

const char *kws_page(size_t *n)
{
	*n = (size_t)kws_page_bytes;
	return kws_page_begin;
}

/* "'sha256-...'" of what stands between the two tags. */
static void put_hash(const char *open, const char *close, char out[64])
{
	const char *from = strstr(kws_page_begin, open) + strlen(open), *to = strstr(from, close);
	char text[BASE64_ENCODE_RAW_LENGTH(SHA256_DIGEST_SIZE) + 1] = "";
	uint8_t digest[SHA256_DIGEST_SIZE];
	struct sha256_ctx ctx;

	sha256_init(&ctx);
	sha256_update(&ctx, (size_t)(to - from), (const uint8_t *)from);
	sha256_digest(&ctx, sizeof digest, digest);
	base64_encode_raw(text, sizeof digest, digest);
	snprintf(out, 64, "'sha256-%s'", text);
}

void kws_page_policy(char policy[KWS_PAGE_POLICY])
{
	char style[64], script[64];

	put_hash("<style>", "</style>", style);
	put_hash("<script>", "</script>", script);
	snprintf(policy, KWS_PAGE_POLICY,
		 "default-src 'none'; connect-src 'self'; media-src 'self'; img-src data:; "
		 "style-src %s; script-src %s; base-uri 'none'; form-action 'none'; "
		 "frame-ancestors 'none'",
		 style, script);
}
