/* tones.h - words that are tones, and a model that hears them, with weights that are written down and not
 * trained. */
#ifndef KWS_TESTS_TONES_H
#define KWS_TESTS_TONES_H

#include <stdint.h>

enum { TONES = 4, TONES_A_MODEL = 2 };

/* "ut", "re", "mi", "fa" */
const char *tone_word(unsigned tone);
/* By its word; TONES: none has it. */
unsigned tone_of_word(const char *word);
/* Its sound t seconds after it began, of those that it lasts; t may be before or after. */
float tone_sound(unsigned tone, double t, double lasts);

/* A model file that hears tones first and first + 1. The name is told of it, and makes it another model. */
void tone_model_write(const char *path, const char *name, unsigned first);

#endif
