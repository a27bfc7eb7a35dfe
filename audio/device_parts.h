/* device_parts.h - what the files of a device share: device.c, its two back ends, the list. */
#ifndef KWS_AUDIO_DEVICE_PARTS_H
#define KWS_AUDIO_DEVICE_PARTS_H

#include "audio/device.h"
#include "dsp/ring.h"

struct kws_device {
	kws_ring ring;
	float *room; /* (cap,), of the ring */
	size_t cap;
	/* Where all channels come through the ring, the reader mixes and judges them: the callback of the sound system writes
	 * the ring and nothing else. NULL: mono comes through it. */
	kws_judge *judge;
	float *frames; /* (KWS_DEVICE_BLOCK, channels) */
	char name[KWS_DEVICE_NAME];
	unsigned rate_hz, channels, channel;
	atomic_ulong callbacks, overflows;
	atomic_bool ended, finished, refused;
	atomic_size_t taken; /* samples read; the pipe's thread waits for room by it */
	int fd;
	char trouble[256]; /* set before ended is */
	/* without judge: the source's thread leaves its findings here each second, and looks whether they were taken */
	kws_findings left, taken_findings;
	atomic_bool left_is_new;
	bool has_findings;
	kws_findings last; /* of all; set before ended is */
	bool has_last;
	void (*stop)(kws_device *d);
	void *part; /* the back end's own */
};

enum { KWS_DEVICE_RING_S = 4, KWS_DEVICE_BLOCK = 256 };

/* Memory for a ring of mono, once rate_hz is known; and for one of all channels, which the reader mixes and judges. */
enum kws_status kws_device_room(kws_device *d, kws_error *err);
enum kws_status kws_device_room_for_channels(kws_device *d, kws_error *err);

/* For the source's thread: may findings be left now, or has the reader yet to take others? */
bool kws_device_may_leave(const kws_device *d);
void kws_device_leave(kws_device *d); /* d->left, for the reader */

/* All inputs, by a PortAudio that is initialised for it: only for a process that opens none. err says why
 * there are none. */
void kws_device_look(kws_device_info *list, size_t max, size_t *n, kws_error *err);
/* Is what the sound libraries write to stderr wanted? */
bool kws_device_is_loud(void);

typedef enum kws_status kws_device_opener(kws_device *d, const kws_device_config *cfg,
					  kws_error *err);
/* For tests: every device is opened by this; NULL: as they are meant to be. tests/fake/device.h has one. */
void kws_device_open_by(kws_device_opener *opener);

enum kws_status kws_device_open_portaudio(kws_device *d, const kws_device_config *cfg,
					  kws_error *err);
enum kws_status kws_device_open_raw(kws_device *d, const kws_device_config *cfg, kws_error *err);

#endif
