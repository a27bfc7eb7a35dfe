/* vocabulary.h - which class of a model the words of a list belong to, and what was made of those
 * that are written otherwise: nothing is taken for another word in silence. */
#ifndef KWS_CORPUS_VOCABULARY_H
#define KWS_CORPUS_VOCABULARY_H

#include "corpus/problems.h"
#include "model/model.h"

enum { KWS_VOCABULARY_SHOWN = 12, KWS_VOCABULARY_LONGEST = 63 };

/* A word that the model lacks; what is longer is cut off. */
typedef struct {
	char word[KWS_VOCABULARY_LONGEST + 1];
	size_t n, line; /* line: of the first */
} kws_other_word;

/* To begin with: { .model = m }. Owns nothing. */
typedef struct {
	const kws_model *model;
	size_t n_respelt;  /* taken for words of the model but for blanks, quotes, capitals */
	char respelt[512]; /* the first of them, "list.tsv:2: 'Yes ' as 'yes'" */
	size_t n_others;   /* words that the model lacks */
	size_t n_unshown;  /* those of them that had no more room in other */
	kws_other_word other[KWS_VOCABULARY_SHOWN];
	size_t n_kinds; /* in other */
} kws_vocabulary;

/* The class of a word of a list, at that line of it: the word itself, also with blanks or quotes
 * around it or in other capitals (ASCII); "silence" and "_background_noise_" are _silence_; any other is
 * _unknown_. n_words: the model has no such class. */
size_t kws_vocabulary_class(kws_vocabulary *v, const char *list, size_t line, const char *word);

/* What was respelt, and which words the model lacks and what they count as. */
void kws_vocabulary_report(const kws_vocabulary *v, const char *count_as, kws_problems *problems);

#endif
