/* vocabulary.h - maps the words of a list to the classes of a model, and reports words that are
 * written differently: no word is replaced by another in silence. */
#ifndef KWS_CORPUS_VOCABULARY_H
#define KWS_CORPUS_VOCABULARY_H

#include "corpus/problems.h"
#include "model/model.h"

enum { KWS_VOCABULARY_SHOWN = 12, KWS_VOCABULARY_LONGEST = 63 };

/* A word that the model lacks; a longer word is cut off. */
typedef struct {
	char word[KWS_VOCABULARY_LONGEST + 1];
	size_t n, line; /* line: of the first one */
} kws_other_word;

/* Initialise it with { .model = m }. It owns nothing. */
typedef struct {
	const kws_model *model;
	size_t n_respelt;  /* words accepted in spite of blanks, quotes or capitals */
	char respelt[512]; /* the first one, "list.tsv:2: 'Yes ' as 'yes'" */
	size_t n_others;   /* words that the model lacks */
	size_t n_unshown;  /* those without room in other */
	kws_other_word other[KWS_VOCABULARY_SHOWN];
	size_t n_kinds; /* in other */
} kws_vocabulary;

/* Find the class of a word in line `line' of a list. Blanks or quotes around the word and capitals
 * (ASCII) are ignored. "silence" and "_background_noise_" are _silence_; any unknown word is
 * _unknown_. n_words: the model has no such class. */
size_t kws_vocabulary_class(kws_vocabulary *v, const char *list, size_t line, const char *word);

/* Add what was found out in another list, after that of v. */
void kws_vocabulary_add(kws_vocabulary *v, const kws_vocabulary *of);

/* Report the words that were accepted with another spelling, and those that the model lacks and
 * what they count as. */
void kws_vocabulary_report(const kws_vocabulary *v, const char *count_as, kws_problems *problems);

#endif
