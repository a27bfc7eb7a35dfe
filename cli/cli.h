/* cli.h - shared by the subcommands of kws: exit statuses, and the commands themselves. */
#ifndef KWS_CLI_CLI_H
#define KWS_CLI_CLI_H

enum kws_exit {
	KWS_EXIT_OK = 0,
	/* An input could not be read or the output not written; the rest was done. */
	KWS_EXIT_INPUT = 1,
	KWS_EXIT_USAGE = 2,	 /* the command line is wrong */
	KWS_EXIT_MODEL = 3,	 /* the model could not be loaded, or cannot do this */
	KWS_EXIT_UNSUPPORTED = 4 /* the recordings do not support the request */
};

/* All commands, and what each does: int kws_cmd_NAME(int argc, char **argv) takes its own argc and
 * argv, where argv[0] is "kws NAME", and returns an exit status. */
#define KWS_COMMANDS(COMMAND)                                                                      \
	COMMAND(classify, "which word is in each file")                                            \
	COMMAND(spot, "what is said when, in recordings of any length or a pipe")                  \
	COMMAND(model, "what is in a model file")                                                  \
	COMMAND(eval, "how good a model is: misses against false alarms")                          \
	COMMAND(merge, "what the shards of spot, classify or eval have found together")            \
	COMMAND(label, "what was really said: listen to what was heard, and mark it")              \
	COMMAND(calibrate, "thresholds for a target rate of false alarms")                         \
	COMMAND(plot, "a picture of a recording: spectrogram, scores, events")                     \
	COMMAND(bench, "how fast it is on this machine")                                           \
	COMMAND(devices, "which microphones there are")                                            \
	COMMAND(listen, "a microphone, with a level meter and live scores")                        \
	COMMAND(doctor, "what keeps this machine from hearing")                                    \
	COMMAND(ctl, "query and control the running kwsd")                                         \
	COMMAND(enrol, "a word of one's own, from a few recordings of it")                         \
	COMMAND(bank, "what words of one's own are told from")

#define KWS_COMMAND_DECLARE(name, does) int kws_cmd_##name(int argc, char **argv);
KWS_COMMANDS(KWS_COMMAND_DECLARE)

#endif
