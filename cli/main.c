/* kws - the command line: spoken commands in files, pipes and microphones. */
#include "audio/device.h"
#include "descriptors.h"
#include "cli/cli.h"
#include "cli/help.h"
#include "cli/out.h"
#include "kws.h"
#include "nearest.h"

#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROW(name, does) { #name, kws_cmd_##name },
static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = { KWS_COMMANDS(ROW) };
enum { N_COMMANDS = sizeof commands / sizeof commands[0] };

static int run(const char *name, int argc, char **argv)
{
	char full[64];
	for (size_t i = 0; i < N_COMMANDS; i++) {
		if (strcmp(commands[i].name, name) != 0)
			continue;
		snprintf(full, sizeof full, "kws %s", name);
		argv[0] = full;
		return commands[i].run(argc, argv);
	}
	kws_nearest near;
	kws_nearest_init(&near, name);
	for (size_t i = 0; i < N_COMMANDS; i++)
		kws_nearest_offer(&near, commands[i].name);
	kws_nearest_offer(&near, "help");
	kws_out_complain("'%s' is not a command; see `kws help'%s", name, kws_nearest_hint(&near));
	return KWS_EXIT_USAGE;
}

static int show_help(int argc, char **argv)
{
	char option[] = "--help";
	char *with_help[] = { argv[0], option, NULL };
	if (argc > 1)
		return run(argv[1], 2, with_help);
	kws_help_print(stdout);
	return KWS_EXIT_OK;
}

static int dispatch(int argc, char **argv)
{
	if (argc < 2) {
		kws_help_print(stderr);
		return KWS_EXIT_USAGE;
	}
	if (strcmp(argv[1], "help") == 0)
		return show_help(argc - 1, argv + 1);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0
	    || strcmp(argv[1], "-?") == 0)
		return show_help(1, argv);
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
		puts("kws " KWS_VERSION);
		return KWS_EXIT_OK;
	}
	if (argv[1][0] == '-') {
		kws_out_complain("unknown option '%s'; `kws help' lists the commands", argv[1]);
		return KWS_EXIT_USAGE;
	}
	return run(argv[1], argc - 1, argv + 1);
}

static bool finished;

/* argp ends the program itself after --help and --usage. */
static void finish_help(void)
{
	if (!finished && kws_out_finish(KWS_EXIT_OK) != KWS_EXIT_OK)
		_exit(KWS_EXIT_INPUT);
}

int main(int argc, char **argv)
{
	if (!kws_start()) {
		kws_out_complain("/dev/null: %s", kws_strerrno(errno));
		return KWS_EXIT_INPUT;
	}
	kws_device_prepare();
	kws_out_start();
	signal(SIGPIPE, SIG_IGN); /* a lost reader is an error of write(), which we check */
	argp_program_version = "kws " KWS_VERSION;
	argp_err_exit_status = KWS_EXIT_USAGE;
	atexit(finish_help);
	const int status = dispatch(argc, argv);
	finished = true;
	return kws_out_finish(status);
}
