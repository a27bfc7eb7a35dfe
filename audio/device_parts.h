/* device_parts.h - what device.c shares with its two back ends. */
#ifndef KWS_AUDIO_DEVICE_PARTS_H
#define KWS_AUDIO_DEVICE_PARTS_H

#include "audio/device.h"
#include "dsp/ring.h"

struct kws_device {
	kws_ring ring;
	float *room; /* (cap,), of the ring */
	size_t cap;
	char name[KWS_DEVICE_NAME];
	unsigned rate_hz, channels, channel;
	atomic_ulong callbacks, overflows;
	atomic_bool ended, finished;
	atomic_size_t taken; /* samples read; the pipe's thread waits for room by it */
	int fd;
	void (*stop)(kws_device *d);
	void *part; /* the back end's own */
};

enum { KWS_DEVICE_RING_S = 4 };

/* Memory for the ring, once rate_hz is known. */
enum kws_status kws_device_room(kws_device *d, kws_error *err);

enum kws_status kws_device_open_portaudio(kws_device *d, const kws_device_config *cfg,
					  kws_error *err);
enum kws_status kws_device_open_raw(kws_device *d, const kws_device_config *cfg, kws_error *err);

#endif
