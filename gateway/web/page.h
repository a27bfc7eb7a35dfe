/* page.h - the web page, which is part of the program. */
#ifndef KWS_WEB_PAGE_H
#define KWS_WEB_PAGE_H

#include <stddef.h>

enum { KWS_PAGE_POLICY = 512 };

/* page.html, (*n,). */
const char *kws_page(size_t *n);

/* Its Content-Security-Policy: this style and this script by their hashes, and nothing from
 * elsewhere. */
void kws_page_policy(char policy[KWS_PAGE_POLICY]);

#endif
