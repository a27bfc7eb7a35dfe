/* web.h - kwsd-web as a gateway: what it opens, and what a reload changes. */
#ifndef KWS_WEB_WEB_H
#define KWS_WEB_WEB_H

#include "gateway/program.h"

extern const kws_gateway kws_web;

#endif
