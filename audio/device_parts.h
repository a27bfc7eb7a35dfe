/* device_parts.h - shared by the files of a device: device.c, its two back ends and the list. */
#ifndef KWS_AUDIO_DEVICE_PARTS_H
#define KWS_AUDIO_DEVICE_PARTS_H

#include "audio/device.h"
#include "dsp/ring.h"

struct kws_device {
	kws_ring ring;
	float *room; /* (cap,) memory of the ring */
	size_t cap;
	/* If the ring carries all channels, the reader mixes and judges them. NULL: the ring carries
	 * mono. */
	kws_judge *judge;
	float *frames; /* (KWS_DEVICE_BLOCK, channels) */
	char name[KWS_DEVICE_NAME];
	unsigned rate_hz, channels, channel;
	atomic_ulong blocks, overflows;
	atomic_bool ended, finished, refused;
	atomic_size_t taken; /* samples read; the pipe's thread uses it to wait for room */
	int fd;
	char trouble[256]; /* set before ended */
	/* Without judge: the capturing thread leaves its findings here each second, and checks
	 * whether they were taken. */
	kws_findings left, taken_findings;
	atomic_bool left_is_new;
	bool has_findings;
	kws_findings last; /* for all of the sound; set before ended */
	bool has_last;
	/* Called by the reader: move what has come into the ring, without waiting, and clear fd.
	 * NULL: a thread of the back end fills the ring, and there is no fd. */
	void (*fetch)(kws_device *d);
	void (*stop)(kws_device *d);
	void *part; /* the back end's data */
};

/* Frames that are moved at once: a whole piece, because each read costs the sound system's client a
 * dozen system calls. */
enum { KWS_DEVICE_RING_S = 4, KWS_DEVICE_BLOCK = 4096 };

/* Allocate a ring for mono, once rate_hz is known; or a ring for all channels, which the reader
 * mixes and judges. */
enum kws_status kws_device_room(kws_device *d, kws_error *err);
enum kws_status kws_device_room_for_channels(kws_device *d, kws_error *err);

/* For the capturing thread: whether it may leave findings now, or the reader has not yet taken the
 * previous ones. */
bool kws_device_may_leave(const kws_device *d);
void kws_device_leave(kws_device *d); /* leave d->left for the reader */

/* List all inputs with a PortAudio that is initialised just for it. Only for a process that opens
 * no device. err says why there are none. */
void kws_device_look(kws_device_info *list, size_t max, size_t *n, kws_error *err);
/* Whether the sound libraries may write to stderr. */
bool kws_device_is_loud(void);

typedef enum kws_status kws_device_opener(kws_device *d, const kws_device_config *cfg,
					  kws_error *err);
/* For tests: open every device with this function; NULL: open them normally. tests/fake/device.h
 * has one. */
void kws_device_open_by(kws_device_opener *opener);

enum kws_status kws_device_open_portaudio(kws_device *d, const kws_device_config *cfg,
					  kws_error *err);
enum kws_status kws_device_open_raw(kws_device *d, const kws_device_config *cfg, kws_error *err);

#endif
