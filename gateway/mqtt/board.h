/* board.h - what is to be found on the broker, retained: one message a topic. A message is published
 * when it has changed, and all of them when the connection or Home Assistant is new. Whatever happens
 * meanwhile, only the last one of each topic waits. */
#ifndef KWS_GATEWAY_MQTT_BOARD_H
#define KWS_GATEWAY_MQTT_BOARD_H

#include "kws.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct kws_board kws_board;

/* A message was handed over: true. */
typedef bool kws_board_fn(void *ctx, const char *topic, const char *text, size_t n);

kws_board *kws_board_create(void); /* NULL: out of memory */
void kws_board_destroy(kws_board *b);

/* Set the message of a topic. "": remove the topic from the broker. False: out of memory. */
bool kws_board_put(kws_board *b, const char *topic, const char *text);
/* Put all topics between these two calls: those that were not put are removed. */
void kws_board_begin(kws_board *b);
void kws_board_end(kws_board *b);
bool kws_board_has(const kws_board *b, const char *topic);

/* Publish all again. */
void kws_board_renew(kws_board *b);
/* Hand over what is to be published, until fn returns false. */
void kws_board_publish(kws_board *b, kws_board_fn *fn, void *ctx);

#endif
