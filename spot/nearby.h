/* nearby.h - finds the words of a model that takes sound like. */
#ifndef KWS_SPOT_NEARBY_H
#define KWS_SPOT_NEARBY_H

#include "model/model.h"
#include "spot/augment.h"

/* takes (n,), n > 0, at the model's rate. Fills near and near_score of the report.
 * KWS_ERR_NOMEM. */
enum kws_status kws_nearby(const kws_model *m, const kws_said *takes, size_t n,
			   kws_enrol_report *report, kws_error *err);

#endif
