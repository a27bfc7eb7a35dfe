#include "cli/help.h"

#include "cli/cli.h"

#include <string.h>

#define ROW(name, does) { #name, does },
static const struct {
	const char *name, *does;
} commands[] = { KWS_COMMANDS(ROW) };
enum { N_COMMANDS = sizeof commands / sizeof commands[0] };

/* Each command is in one of these. */
static const struct {
	const char *heading, *names; /* names between blanks */
} groups[] = {
	{ "Find words", " spot classify plot " },
	{ "A microphone", " devices doctor listen " },
	{ "The daemon, kwsd", " ctl " },
	{ "Words of one's own", " enrol bank " },
	{ "Measure", " label calibrate eval merge bench model " },
};

/* Lines of at most 76 columns. Paths are those of a user; options are real ones. */
static const struct {
	const char *name, *lines;
} examples[] = {
	{ "spot", "  kws spot meeting.flac\n"
		  "  arecord -q -t wav -r 16000 -f S16_LE | kws spot -\n"
		  "  kws spot --format jsonl --threshold 0.9,stop=0.8 recordings/ > found.jsonl\n"
		  "  kws spot -m jarvis=a.safetensors -m b.safetensors --after b=jarvis x.wav\n" },
	{ "classify", "  kws classify clip.wav\n"
		      "  kws classify --top 3 clips/\n"
		      "  kws classify -q --manifest test.tsv\n" },
	{ "model", "  kws model\n"
		   "  kws model --format jsonl my.safetensors\n" },
	{ "eval", "  kws eval --picture det.svg meeting.flac radio/\n"
		  "  kws eval --at 0.1 --at 1 test/\n"
		  "  kws eval --results part1 --shard 1/2 test/\n" },
	{ "merge", "  kws merge part1 part2\n" },
	{ "label", "  kws label clips/\n"
		   "  kws label --player 'aplay -q' clips/\n"
		   "  kws label --events found.jsonl\n" },
	{ "calibrate", "  kws calibrate --target 0.5 recordings/\n"
		       "  kws calibrate --write-model my.safetensors recordings/\n" },
	{ "plot", "  kws plot meeting.flac -p meeting.svg\n"
		  "  kws plot --start 60 --end 80 meeting.flac -p part.png\n"
		  "  kws plot -m a.safetensors -m b.safetensors --threshold 0.8 x.wav -p x.svg\n" },
	{ "bench", "  kws bench\n"
		   "  kws bench -m my.safetensors --seconds 10\n" },
	{ "devices", "  kws devices\n"
		     "  kws devices --rates\n" },
	{ "listen", "  kws listen\n"
		    "  kws listen -d hw:CARD=Mic --threshold 0.9\n"
		    "  kws listen -m jarvis=a.safetensors -m b.safetensors --after b=jarvis\n" },
	{ "doctor", "  kws doctor\n"
		    "  kws doctor -c /etc/kwsd/kwsd.conf --seconds 10\n" },
	{ "ctl", "  kws ctl\n"
		 "  kws ctl events --follow\n"
		 "  kws ctl off --keep\n"
		 "  kws ctl subscribe scores --listener kitchen\n" },
	{ "enrol", "  kws enrol computer\n"
		   "  kws enrol computer takes/*.wav\n"
		   "  kws enrol --add computer more/\n"
		   "  kws enrol --list\n" },
	{ "bank", "  kws bank --note 'our evenings' --output home.bank evenings/\n" },
};

static void print_commands(const char *names, FILE *to)
{
	char name[32];
	for (size_t i = 0; i < N_COMMANDS; i++) {
		snprintf(name, sizeof name, " %s ", commands[i].name);
		if (strstr(names, name))
			fprintf(to, "  kws %-10s %s\n", commands[i].name, commands[i].does);
	}
}

void kws_help_print(FILE *to)
{
	fputs("Usage: kws COMMAND [OPTION...] [FILE...]\n"
	      "Find spoken commands in audio.\n",
	      to);
	for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
		fprintf(to, "\n%s:\n", groups[i].heading);
		print_commands(groups[i].names, to);
	}
	fputs("\nThis list, or the options of one command:\n"
	      "  kws help       [COMMAND]\n\n"
	      "Examples:\n"
	      "    kws spot meeting.flac                  # what is said when\n"
	      "    kws listen                             # try the microphone\n"
	      "    kws enrol computer                     # a word of your own\n"
	      "    kws plot meeting.flac -p meeting.svg   # see it\n\n"
	      "`kws COMMAND --help' has the options of a command, with examples; `man kws' has "
	      "the\n"
	      "rest.\n",
	      to);
}

const char *kws_help_examples(const char *command)
{
	const char *blank = strrchr(command, ' '), *name = blank ? blank + 1 : command;
	for (size_t i = 0; i < sizeof examples / sizeof *examples; i++)
		if (strcmp(examples[i].name, name) == 0)
			return examples[i].lines;
	return NULL;
}
