/* spotter.h - a stream with a decision behind it; the functions are those of the public face. */
#ifndef KWS_SPOT_SPOTTER_H
#define KWS_SPOT_SPOTTER_H

#include "model/model.h"
#include "spot/decide.h"
#include "spot/stream.h"

#endif
