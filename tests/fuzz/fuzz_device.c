/* fuzz_device - any list of devices and any name for one: an index of the list, or a reason.
 *
 * The input is lines: the name that is asked for, then two lines for each device, its name and its id. The ALSA card is what
 * stands behind CARD= in the id. */
#include "audio/device.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

enum { DEVICES = 16 };

/* The next line of text[at ..), cut to n - 1 bytes; returns where the one behind it begins. */
static size_t line(const uint8_t *data, size_t size, size_t at, char *to, size_t n)
{
	size_t k = 0;
	for (; at < size && data[at] != '\n' && data[at]; at++)
		if (k + 1 < n)
			to[k++] = (char)data[at];
	to[k] = '\0';
	return at < size ? at + 1 : size;
}

static void card_of(kws_device_info *d)
{
	const char *card = strstr(d->id, "CARD=");
	if (card)
		snprintf(d->card, sizeof d->card, "%.*s", (int)strcspn(card + 5, ","), card + 5);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static kws_device_info list[DEVICES];
	char name[512];
	size_t n = 0, at = line(data, size, 0, name, sizeof name);
	kws_error err = { "" };
	memset(list, 0, sizeof list);
	for (; at < size && n < DEVICES; n++) {
		at = line(data, size, at, list[n].name, sizeof list[n].name);
		at = line(data, size, at, list[n].id, sizeof list[n].id);
		card_of(&list[n]);
		list[n].is_default = n == 1;
	}
	const int found = kws_device_match(name, list, n, &err);
	demand(found >= -1 && found < (int)n);
	demand(found >= 0 || err.text[0]);
	fuzz_accepted = found >= 0;
	/* what `kws devices' prints finds the device that it stands for, or one of the same name */
	for (size_t i = 0; i < n; i++) {
		const int k = kws_device_match(list[i].name, list, n, &err);
		demand(k >= 0
		       && (!strcmp(list[k].name, list[i].name)
			   || !strcmp(list[k].id, list[i].name)));
	}
	return 0;
}
