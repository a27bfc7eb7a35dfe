/* settings.h - what [mqtt] of kwsd.conf says about the connection, checked, with the secrets that stand
 * elsewhere. */
#ifndef KWS_GATEWAY_MQTT_SETTINGS_H
#define KWS_GATEWAY_MQTT_SETTINGS_H

#include "conf/conf.h"
#include "gateway/mqtt/broker.h"

/* KWS_ERR_ARG: err says what is wrong, and where. Reads the files of user and password, and tries those of
 * certificates. */
enum kws_status kws_mqtt_settings_check(const kws_conf_mqtt *c, kws_error *err);

/* Fill in all but client_id and the will. */
enum kws_status kws_mqtt_settings(const kws_conf_mqtt *c, kws_broker_config *out, kws_error *err);

#endif
