#include "gateway/mqtt/names.h"

#include "kws.h"

#include <stdio.h>
#include <string.h>

static const char unnamed[] = "default";

static bool is_control(const char *text)
{
	const unsigned char c = (unsigned char)*text;

	return c < 0x20 || c == 0x7f || (c == 0xc2 && (unsigned char)text[1] < 0xa0);
}

const char *kws_mqtt_level(const char *text, char out[KWS_MQTT_NAME])
{
	const char *first = text;
	size_t n = 0;

	if (!*text)
		snprintf(out, KWS_MQTT_NAME, "%s", unnamed);
	for (; *text && n + 4 < KWS_MQTT_NAME; text++) {
		const bool plain = !strchr("/+#%$", *text) && !is_control(text)
				   && (text > first || strcmp(text, unnamed) != 0);

		n += (size_t)snprintf(out + n, KWS_MQTT_NAME - n, plain ? "%c" : "%%%02X",
				      (unsigned char)*text);
	}
	return out;
}

/* FNV-1a of 32 bits */
static unsigned long sum(const char *text)
{
	unsigned long h = 2166136261u;

	for (; *text; text++)
		h = ((h ^ (unsigned char)*text) * 16777619u) & 0xffffffffu;
	return h;
}

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
	       || c == '_' || c == '-';
}

const char *kws_mqtt_id(const char *text, char out[KWS_MQTT_NAME])
{
	bool same = strcmp(text, unnamed) != 0;
	size_t n = 0;

	if (!*text)
		text = unnamed;
	for (const char *at = text; *at && n + 12 < KWS_MQTT_NAME; at++) {
		out[n++] = is_plain(*at) ? *at : '_';
		same &= is_plain(*at);
	}
	out[n] = 0;
	if (!same)
		snprintf(out + n, KWS_MQTT_NAME - n, "_%08lx", sum(text));
	return out;
}

bool kws_mqtt_is_topic(const char *text)
{
	const size_t n = strlen(text);
	size_t len;

	if (n < 1 || n >= KWS_MQTT_TOPIC || *text == '/' || text[n - 1] == '/' || *text == '$')
		return false;
	for (; *text; text += len) {
		len = kws_utf8_length(text);
		if (!len || *text == '+' || *text == '#' || is_control(text))
			return false;
	}
	return true;
}
