/* tones.h - words that are tones, and a model that finds them; its weights are chosen by hand, not
 * trained. */
#ifndef KWS_TESTS_TONES_H
#define KWS_TESTS_TONES_H

#include <stdint.h>

enum { TONES = 4, TONES_A_MODEL = 2 };

/* "ut", "re", "mi", "fa" */
const char *tone_word(unsigned tone);
/* The tone of a word; TONES: there is none. */
unsigned tone_of_word(const char *word);
/* The sound of a tone of `lasts' seconds, t seconds after its start; t may be before or after
 * it. */
float tone_sound(unsigned tone, double t, double lasts);

/* Write a model file that finds tones first and first + 1. Another name makes another model. */
void tone_model_write(const char *path, const char *name, unsigned first);

#endif
