#include "gateway/mqtt/settings.h"

#include "find_model.h"
#include "gateway/mqtt/names.h"
#include "runtime/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH = 4096, PORT = 1883, PORT_OF_TLS = 8883 };

/* ---- secrets ---- */

/* Read the first line of a file, at most size - 1 bytes. Returns an errno; 0: done. */
static int read_line(const char *path, char *out, size_t size, bool secret)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	ssize_t n;
	int code;

	if (fd < 0)
		return errno;
	n = read(fd, out, size - 1);
	code = n < 0 ? errno : 0;
	if (secret && fstat(fd, &st) == 0 && (st.st_mode & 0004))
		kws_log(KWS_LOG_WARNING, "%s: every user of this machine may read it", path);
	close(fd);
	out[n > 0 ? n : 0] = 0;
	if (n == (ssize_t)size - 1)
		code = EMSGSIZE;
	out[strcspn(out, "\r\n")] = 0;
	return code;
}

/* A secret is in the file that the key names, or is a credential of the service, or there is none. */
static enum kws_status read_secret(const char *key, const char *path, const char *credential,
				   char *out, size_t size, kws_error *err)
{
	char found[PATH];
	int code;

	out[0] = 0;
	if (!*path) {
		if (!kws_find_of_service("CREDENTIALS_DIRECTORY", credential, found, sizeof found)
		    || access(found, F_OK) != 0)
			return KWS_OK;
		path = found;
	}
	code = read_line(path, out, size, path != found && !strcmp(key, "password_file"));
	if (code == EMSGSIZE)
		return kws_fail(err, KWS_ERR_ARG, "[mqtt] %s: %s: longer than %zu bytes", key, path,
				size - 2);
	if (code)
		return kws_fail(err, KWS_ERR_ARG, "[mqtt] %s: %s: %s", key, path,
				kws_strerrno(code));
	if (!*out && path != found) /* an empty credential is the unit's default */
		return kws_fail(err, KWS_ERR_ARG, "[mqtt] %s: %s: its first line is empty", key,
				path);
	return KWS_OK;
}

/* ---- checks ---- */

static bool is_text(const char *text)
{
	for (size_t n; *text; text += n) {
		n = kws_utf8_length(text);
		if (!n)
			return false;
	}
	return true;
}

static enum kws_status check_file(const char *key, const char *path, kws_error *err)
{
	int fd;

	if (!*path)
		return KWS_OK;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return kws_fail(err, KWS_ERR_ARG, "[mqtt] %s: %s: %s", key, path,
				kws_strerrno(errno));
	close(fd);
	return KWS_OK;
}

static enum kws_status check_tls(const kws_conf_mqtt *c, kws_error *err)
{
	enum kws_status status = KWS_OK;

	if (!c->tls && (*c->ca || *c->cert || *c->key))
		return kws_fail(err, KWS_ERR_ARG, "[mqtt] %s: needs tls = yes",
				*c->ca	   ? "ca"
				: *c->cert ? "cert"
					   : "key");
	if (!*c->cert != !*c->key)
		return kws_fail(err, KWS_ERR_ARG, "[mqtt] %s: needs %s, too",
				*c->cert ? "cert" : "key", *c->cert ? "key" : "cert");
	if (status == KWS_OK)
		status = check_file("ca", c->ca, err);
	if (status == KWS_OK)
		status = check_file("cert", c->cert, err);
	if (status == KWS_OK)
		status = check_file("key", c->key, err);
	return status;
}

static enum kws_status check_texts(const kws_conf_mqtt *c, kws_error *err)
{
	const struct {
		const char *key, *text;
	} texts[] = { { "host", c->host },
		      { "client_id", c->client_id },
		      { "name", c->name },
		      { "area", c->area },
		      { "url", c->url } };

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		if (!is_text(texts[i].text))
			return kws_fail(err, KWS_ERR_ARG, "[mqtt] %s: is not UTF-8", texts[i].key);
	if (!*c->host)
		return kws_fail(err, KWS_ERR_ARG, "[mqtt] host: names no broker");
	if (!kws_mqtt_is_topic(c->topic))
		return kws_fail(err, KWS_ERR_ARG,
				"[mqtt] topic: \"%s\" is no topic without + and #", c->topic);
	if (*c->discovery && !kws_mqtt_is_topic(c->discovery))
		return kws_fail(err, KWS_ERR_ARG,
				"[mqtt] discovery: \"%s\" is no topic without + and #",
				c->discovery);
	if (*c->url && strncmp(c->url, "http://", 7) != 0 && strncmp(c->url, "https://", 8) != 0)
		return kws_fail(err, KWS_ERR_ARG,
				"[mqtt] url: %s begins neither with http:// nor with https://",
				c->url);
	return KWS_OK;
}

enum kws_status kws_mqtt_settings(const kws_conf_mqtt *c, kws_broker_config *out, kws_error *err)
{
	enum kws_status status;

	memset(out, 0, sizeof *out);
	snprintf(out->host, sizeof out->host, "%s", c->host);
	out->port = c->port ? c->port : c->tls ? PORT_OF_TLS : PORT;
	out->keepalive_s = c->keepalive_s;
	out->backoff_max_s = c->backoff_max_s;
	out->tls = c->tls;
	snprintf(out->ca, sizeof out->ca, "%s", c->ca);
	snprintf(out->cert, sizeof out->cert, "%s", c->cert);
	snprintf(out->key, sizeof out->key, "%s", c->key);
	status = read_secret("user_file", c->user_file, "mqtt.user", out->user, sizeof out->user,
			     err);
	if (status == KWS_OK)
		status = read_secret("password_file", c->password_file, "mqtt.password",
				     out->password, sizeof out->password, err);
	if (status == KWS_OK && *out->password && !*out->user)
		return kws_fail(err, KWS_ERR_ARG,
				"[mqtt] password_file: a password without a user: see user_file");
	return status;
}

enum kws_status kws_mqtt_settings_check(const kws_conf_mqtt *c, kws_error *err)
{
	static kws_broker_config ignored;
	enum kws_status status = check_texts(c, err);

	if (status == KWS_OK)
		status = check_tls(c, err);
	if (status == KWS_OK)
		status = kws_mqtt_settings(c, &ignored, err);
	memset(&ignored, 0, sizeof ignored);
	return status;
}
