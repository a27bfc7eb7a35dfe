#include "cli/asking.h"

#include "cli/out.h"
#include "cli/player.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where to go from a question. */
enum step { NEXT, BACK, STOP, FAILED };

typedef struct {
	const kws_asking *a;
	bool silent; /* nothing can be played, and that was reported */
} asking;

static void print_keys(void)
{
	fputs("  y       it was said                   r  play it again\n"
	      "  n       neither it nor another word   b  back to the one before\n"
	      "  WORD    this was said instead         s  skip it for now\n"
	      "  m WORD  this was said, too            q  stop; the answers are kept\n",
	      stderr);
}

/* False: it must be heard, and cannot be. */
static bool play(asking *k, const kws_question *q)
{
	kws_error err = { "" };
	if (!q->pcm || k->silent
	    || kws_player_play(k->a->player, q->pcm, q->n, q->rate_hz, &err) == KWS_OK)
		return true;
	k->silent = true;
	kws_out_complain("the sound cannot be played here: %s%s", err.text,
			 k->a->must_play ? "; --player 'aplay -q' plays it with a command, "
					   "--player none only shows it"
					 : "");
	return !k->a->must_play;
}

/* Without blanks and control characters at its ends; inner ones become single blanks. */
static void trim(char *line)
{
	char *to = line;
	for (const char *p = line; *p; p++)
		if ((unsigned char)*p > ' ' && *p != 0x7f)
			*to++ = *p;
		else if (to > line && to[-1] != ' ')
			*to++ = ' ';
	if (to > line && to[-1] == ' ')
		to--;
	*to = '\0';
}

/* The answer that a line is, and its word. False: it is none. */
static bool read_answer(const char *line, const char *heard, enum kws_answer *answer,
			const char **word)
{
	*word = "";
	if (strcmp(line, "y") == 0 || strcmp(line, heard) == 0)
		*answer = KWS_ANSWER_RIGHT;
	else if (strcmp(line, "n") == 0)
		*answer = KWS_ANSWER_WRONG;
	else if (strncmp(line, "m ", 2) == 0) {
		*answer = KWS_ANSWER_TOO;
		*word = line + 2;
	} else if (strlen(line) > 1) {
		*answer = KWS_ANSWER_OTHER;
		*word = line;
	} else {
		return false;
	}
	return true;
}

/* Ask until the question is answered or left. */
static enum step ask(asking *k, size_t i, const kws_question *q)
{
	char line[1024];
	bool first = true;
	for (;;) {
		enum kws_answer answer;
		const char *word;
		fprintf(stderr, "  was \"%s\" said? y, n, another word, m WORD, r, b, s, q or ?: ",
			q->word);
		if (!fgets(line, sizeof line, stdin)) {
			fputc('\n', stderr);
			return STOP;
		}
		trim(line);
		if (strcmp(line, "q") == 0)
			return STOP;
		if (strcmp(line, "s") == 0)
			return NEXT;
		if (strcmp(line, "b") == 0)
			return BACK;
		if (strcmp(line, "r") == 0) {
			if (!play(k, q))
				return FAILED;
		} else if (read_answer(line, q->word, &answer, &word)) {
			if (!k->a->take(k->a->ctx, i, answer, word, first))
				return FAILED;
			if (answer == KWS_ANSWER_OTHER)
				fprintf(stderr, "  \"%s\" was said instead\n", word);
			if (answer != KWS_ANSWER_TOO)
				return NEXT;
			first = false;
		} else {
			print_keys();
		}
	}
}

static enum step show(asking *k, size_t i)
{
	kws_question q = { 0 };
	if (!k->a->show(k->a->ctx, i, &q))
		return NEXT;
	fprintf(stderr, "clip %zu of %zu: ", i + 1, k->a->n);
	kws_out_visible(stderr, q.name);
	fprintf(stderr, "\n  %s\n", q.about);
	if (*q.marked)
		fprintf(stderr, "  marked: %s\n", q.marked);
	const enum step step = play(k, &q) ? ask(k, i, &q) : FAILED;
	free(q.pcm);
	return step;
}

bool kws_ask(const kws_asking *a)
{
	asking k = { .a = a };
	enum step step = NEXT;
	for (size_t i = 0; i < a->n && step != STOP && step != FAILED;) {
		if (step == BACK || !a->answered(a->ctx, i))
			step = show(&k, i);
		if (step == BACK)
			i -= i > 0;
		else
			i++;
	}
	return step != FAILED;
}
