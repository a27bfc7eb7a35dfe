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

/* Each takes its own argc and argv, where argv[0] is "kws <command>", and returns an exit
 * status. */
int kws_cmd_classify(int argc, char **argv);
int kws_cmd_spot(int argc, char **argv);
int kws_cmd_model(int argc, char **argv);
int kws_cmd_eval(int argc, char **argv);
int kws_cmd_calibrate(int argc, char **argv);
int kws_cmd_plot(int argc, char **argv);
int kws_cmd_bench(int argc, char **argv);
int kws_cmd_devices(int argc, char **argv);
int kws_cmd_listen(int argc, char **argv);
int kws_cmd_doctor(int argc, char **argv);
int kws_cmd_ctl(int argc, char **argv);
int kws_cmd_enrol(int argc, char **argv);
int kws_cmd_bank(int argc, char **argv);

#endif
