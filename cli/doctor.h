/* doctor.h - the parts of kws doctor: the sound, and the daemon. */
#ifndef KWS_CLI_DOCTOR_H
#define KWS_CLI_DOCTOR_H

#include "audio/device.h"
#include "cli/findings.h"

#ifndef KWS_SYSCONFDIR
#define KWS_SYSCONFDIR "/etc"
#endif

/* Check the sound system, the permissions and the device; listens to the device for this many
 * seconds. */
void kws_doctor_sound(kws_diagnosis *f, const kws_device_config *device, unsigned seconds);

enum { KWS_DOCTOR_VALUE = 512 };

/* The daemon's configuration as `kwsd -t' prints it, and its first microphone; "" and 0 if
 * unknown. */
typedef struct {
	char text[32768];
	char device[KWS_DOCTOR_VALUE];
	unsigned rate_hz, channels, channel;
} kws_doctor_conf;

/* Let kwsd check its configuration: the file at path, or the installed one if NULL. model: used
 * instead of the one that it names; may be NULL. */
void kws_doctor_check_conf(kws_diagnosis *f, const char *path, const char *model,
			   kws_doctor_conf *conf);

/* Ask the kwsd that runs, at the control socket that its configuration names ("auto": the usual place), how it
 * is. Nobody there: nothing. */
void kws_doctor_check_control(kws_diagnosis *f, const char *path);

/* Check the service, and what the configuration names: control and event sockets, hook, folders. */
void kws_doctor_check_service(kws_diagnosis *f, const kws_doctor_conf *conf);

#endif
