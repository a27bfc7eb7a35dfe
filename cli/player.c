#include "cli/player.h"

#include "audio/device.h"
#include "cli/base.h"
#include "cli/child.h"

#include <errno.h>
#include <sndfile.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TIMEOUT_MS = 30000 }; /* beyond the length of the sound */

static enum kws_status refused(const char *path, kws_error *err)
{
	return kws_fail(err, KWS_ERR_DEVICE, "%s: %s", path, strerror(errno ? errno : EIO));
}

static enum kws_status write_wav(const char *path, const float *pcm, size_t n, unsigned rate_hz,
				 kws_error *err)
{
	SF_INFO info = { .samplerate = (int)rate_hz,
			 .channels = 1,
			 .format = SF_FORMAT_WAV | SF_FORMAT_PCM_16 };
	errno = 0;
	SNDFILE *f = sf_open(path, SFM_WRITE, &info);
	if (!f)
		return refused(path, err);
	sf_command(f, SFC_SET_CLIPPING, NULL, SF_TRUE);
	bool good = sf_writef_float(f, pcm, (sf_count_t)n) == (sf_count_t)n;
	good = sf_close(f) == 0 && good;
	return good ? KWS_OK : refused(path, err);
}

static enum kws_status run(const char *command, char *path, int timeout_ms, kws_error *err)
{
	static kws_child child;
	char line[4096], shell[] = "/bin/sh", c[] = "-c", name[] = "kws";
	const int len = snprintf(line, sizeof line, "%s \"$1\"", command);
	if (len < 0 || (size_t)len >= sizeof line)
		return kws_fail(err, KWS_ERR_DEVICE, "the command is too long");
	char *const argv[] = { shell, c, line, name, path, NULL };
	if (!kws_child_run(&child, argv, timeout_ms))
		return kws_fail(err, KWS_ERR_DEVICE, "'%s': %s", command, strerror(errno));
	if (kws_child_status(&child) == 0)
		return KWS_OK;
	child.err[strcspn(child.err, "\n")] = '\0';
	return kws_fail(err, KWS_ERR_DEVICE, "'%s': %s", command,
			*child.err ? child.err : "it ended with a failure");
}

enum kws_status kws_player_play(const char *command, const float *pcm, size_t n, unsigned rate_hz,
				kws_error *err)
{
	char folder[KWS_BASE_PATH], path[KWS_BASE_PATH + 16];
	if (!command)
		return kws_device_play(pcm, n, rate_hz, err);
	if (strcmp(command, "none") == 0)
		return KWS_OK;
	kws_base_temporary(folder, "sound");
	if (!mkdtemp(folder))
		return refused(folder, err);
	snprintf(path, sizeof path, "%s/sound.wav", folder);
	enum kws_status status = write_wav(path, pcm, n, rate_hz, err);
	if (status == KWS_OK)
		status = run(command, path, TIMEOUT_MS + (int)(n / rate_hz) * 1000, err);
	unlink(path);
	rmdir(folder);
	return status;
}
