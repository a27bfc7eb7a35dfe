/* clip.h - clips as files to send: only what kwsd has written into the clip folder. */
#ifndef KWS_WEB_CLIP_H
#define KWS_WEB_CLIP_H

#include <stdbool.h>
#include <sys/types.h>

/* Whether a file of this name may be a clip: 20261126T060000.000Z-....wav, letters, digits and
 * . _ - only. */
bool kws_clip_is_name(const char *name);

/* Open a clip of this folder, which MUST be a regular file and no link. Returns the descriptor; -1
 * with errno. */
int kws_clip_open(const char *folder, const char *name, off_t *size);

#endif
