#include "corpus/notes.h"

#include <stdio.h>

static void note(kws_notes *notes, int kind, size_t index, const char *path, const char *text)
{
	if (notes->kind[kind].n++ && index > notes->kind[kind].index)
		return;
	notes->kind[kind].index = index;
	notes->kind[kind].path = path;
	snprintf(notes->kind[kind].text, sizeof notes->kind[kind].text, "%s", text);
}

void kws_notes_findings(kws_notes *notes, size_t index, const char *path, const kws_findings *f,
			bool words)
{
	char text[KWS_FLAW_TEXT];
	for (int i = 0; i < KWS_N_FLAWS; i++)
		/* if words were found, something did rise above the background */
		if (f->has[i] && !(i == KWS_FLAW_STEADY && words)) {
			kws_flaw_say(f, (enum kws_flaw)i, "--channel ", text);
			note(notes, i, index, path, text);
		}
}

void kws_notes_add(kws_notes *notes, size_t index, const char *path, const kws_source *src,
		   bool words)
{
	kws_findings f;
	kws_source_findings(src, &f);
	kws_notes_findings(notes, index, path, &f, words);
	if (*kws_source_note(src))
		note(notes, KWS_NOTE_HEADER, index, path, kws_source_note(src));
	if (!(f.seconds > 0.0))
		note(notes, KWS_NOTE_EMPTY, index, path, "it contains no sound");
}

void kws_notes_report(const kws_notes *notes, kws_problems *problems)
{
	char more[64] = "";
	for (int i = 0; i < KWS_N_NOTES; i++) {
		const size_t n = notes->kind[i].n;
		if (n == 0)
			continue;
		snprintf(more, sizeof more, " (and %zu more files)", n - 1);
		kws_problems_add(problems, "%s: %s%s", notes->kind[i].path, notes->kind[i].text,
				 n > 1 ? more : "");
	}
}
