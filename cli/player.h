/* player.h - lets the user hear a sound: on the default output, by a program, or not at all. */
#ifndef KWS_CLI_PLAYER_H
#define KWS_CLI_PLAYER_H

#include "kws.h"

#include <stddef.h>

/* command: of the shell, which is given the name of a WAV file behind it; "none": play nothing; NULL:
 * the default output, for which kws_device_prepare() MUST have been called. Waits until the sound,
 * pcm (n,), has been heard. KWS_ERR_DEVICE: it cannot be played, and err says why. */
enum kws_status kws_player_play(const char *command, const float *pcm, size_t n, unsigned rate_hz,
				kws_error *err);

#endif
