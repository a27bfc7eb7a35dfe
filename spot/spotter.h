/* spotter.h - a stream with a decision behind it. Its functions are declared in the public
 * interface. */
#ifndef KWS_SPOT_SPOTTER_H
#define KWS_SPOT_SPOTTER_H

#include "model/model.h"
#include "spot/decide.h"
#include "spot/stream.h"

#endif
