#include "kws.h"

const char *kws_take_fault(unsigned faults)
{
	static const struct {
		unsigned bit;
		const char *says;
	} all[] = {
		{ KWS_TAKE_NO_SPEECH, "no speech in it" },
		{ KWS_TAKE_TWICE, "the same recording as another" },
		{ KWS_TAKE_CLIPPED, "clipped: the microphone was turned up too far" },
		{ KWS_TAKE_TOO_QUIET, "too quiet: speak up, or turn the microphone up" },
		{ KWS_TAKE_CUT_OFF, "cut off: leave a pause before the word and behind it" },
		{ KWS_TAKE_SEVERAL_WORDS, "more than one word, or a pause in it" },
		{ KWS_TAKE_TOO_SHORT, "too short: a word of less than 0.2 s is lost in speech" },
		{ KWS_TAKE_TOO_LONG, "too long: want a word of at most 2.5 s in a take of 8 s" },
		{ KWS_TAKE_UNLIKE, "unlike the other takes: another word, or much noise" },
	};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (faults & all[i].bit)
			return all[i].says;
	return "";
}
