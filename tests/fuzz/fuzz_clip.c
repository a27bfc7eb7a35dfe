/* fuzz_clip - any word, score and time as a clip's name: a plain name inside its folder.
 *
 * Eight bytes are the time, one the score in 1/255, one whether it is a near miss (1) and whether the listener
 * has a name (2), the longest that the configuration allows; the word is the rest. */
#include "daemon/clips.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

enum { HEAD = 10 };

static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char name[KWS_CLIP_NAME], word[64] = "";
	double wall;
	fuzz_accepted = false;
	if (size < HEAD)
		return 0;
	memcpy(&wall, data, sizeof wall);
	const size_t n = size - HEAD < sizeof word - 1 ? size - HEAD : sizeof word - 1;
	memcpy(word, data + HEAD, n);
	memset(name, 'x', sizeof name);
	kws_clips_name(name, wall, data[9] & 2 ? "the_longest_name_for_microphone" : "", word,
		       (float)data[8] / 255.0f, data[9] & 1);
	const size_t len = strnlen(name, sizeof name);
	demand(len < sizeof name && len > 4 && !strcmp(name + len - 4, ".wav"));
	demand(name[0] != '.' && name[strspn(name, plain)] == '\0');
	static const char form[] = "00000000T000000.000Z-"; /* by which the daemon knows its own */
	for (size_t i = 0; form[i]; i++)
		demand(form[i] == '0' ? name[i] >= '0' && name[i] <= '9' : name[i] == form[i]);
	fuzz_accepted = true;
	return 0;
}
