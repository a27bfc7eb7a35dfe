/* kws devices - lists the microphones by stable names. */
#include "audio/device.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/out.h"

#include <argp.h>
#include <string.h>

enum { OPT_FORMAT = 0x100, OPT_JSON, OPT_RATES, MOST_RATES = 16 };

typedef struct {
	bool rates;
	enum kws_format format;
} args;

static const struct argp_option options[] = {
	{ "rates", OPT_RATES, NULL, 0,
	  "Show the sample rates that each device accepts; opens each briefly", 0 },
	{ "format", OPT_FORMAT, "FORMAT", 0, "text (default), jsonl or csv", 0 },
	{ "json", OPT_JSON, NULL, OPTION_HIDDEN, NULL, 0 },
	{ NULL, 'j', NULL, OPTION_HIDDEN, NULL, 0 },
	{ NULL, 'r', NULL, OPTION_HIDDEN, NULL, 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	args *a = state->input;

	switch (key) {
	case 'r':
	case OPT_RATES: a->rates = true; return 0;
	case 'j':
	case OPT_JSON: a->format = KWS_FORMAT_JSONL; return 0;
	case OPT_FORMAT:
		a->format = kws_args_need_format(state, arg,
						 1u << KWS_FORMAT_TEXT | 1u << KWS_FORMAT_JSONL
							 | 1u << KWS_FORMAT_CSV);
		return 0;
	case ARGP_KEY_ARG: argp_error(state, "kws devices takes no arguments"); return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.doc = "List the audio inputs of this machine.\vThe first column is the name for device in "
	       "kwsd.conf and for -d of kws listen. Any part of a name will do, in any case. * "
	       "marks the default.",
};

static void print_json(const kws_device_info *d, const unsigned *rates, size_t n_rates,
		       bool with_rates)
{
	json_t *o = json_object(), *list = json_array();

	kws_out_set_text(o, "id", d->id);
	kws_out_set_text(o, "name", d->name);
	kws_out_set_text(o, "api", d->api);
	kws_out_set_text(o, "card", d->card);
	kws_out_set_size(o, "channels", d->channels);
	kws_out_set_size(o, "rate_hz", d->rate_hz);
	kws_out_set(o, "default", json_boolean(d->is_default));
	for (size_t i = 0; i < n_rates; i++)
		kws_out_append(list, json_integer(rates[i]));
	if (with_rates)
		kws_out_set(o, "rates_hz", json_incref(list));
	json_decref(list);
	kws_out_json_line(o);
}

static void print_csv(const kws_device_info *d, const unsigned *rates, size_t n_rates,
		      bool with_rates)
{
	const char *const texts[] = { d->id, d->name, d->api, d->card };

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		kws_out_csv(stdout, texts[i]);
		putchar(',');
	}
	printf("%u,%u,%s%s", d->channels, d->rate_hz, d->is_default ? "true" : "false",
	       with_rates ? "," : "");
	for (size_t i = 0; i < n_rates; i++)
		printf("%s%u", i ? " " : "", rates[i]);
	putchar('\n');
}

static void print_text(const kws_device_info *d, const unsigned *rates, size_t n_rates)
{
	printf("%c ", d->is_default ? '*' : ' ');
	kws_out_visible(stdout, d->id);
	printf("%*s %3u channels  %6u Hz  %s", (int)(strlen(d->id) < 28 ? 28 - strlen(d->id) : 0),
	       "", d->channels, d->rate_hz, d->api);
	if (strcmp(d->id, d->name) != 0) {
		printf("  ");
		kws_out_visible(stdout, d->name);
	}
	for (size_t i = 0; i < n_rates; i++)
		printf("%s%u", i ? " " : "  accepts ", rates[i]);
	putchar('\n');
}

int kws_cmd_devices(int argc, char **argv)
{
	static kws_device_info list[KWS_DEVICE_MAX];
	args a = { .rates = false };
	kws_error err = { "" };
	size_t n;

	kws_args_parse(&argp, argc, argv, &a);
	if (kws_device_list(list, KWS_DEVICE_MAX, &n, &err) != KWS_OK) {
		kws_out_complain("%s", err.text);
		return KWS_EXIT_INPUT;
	}
	if (a.format == KWS_FORMAT_CSV)
		printf("id,name,api,card,channels,rate_hz,default%s\n", a.rates ? ",rates_hz" : "");
	for (size_t i = 0; i < n; i++) {
		unsigned rates[MOST_RATES];
		size_t n_rates = a.rates ? kws_device_rates(&list[i], rates, MOST_RATES) : 0;

		if (a.format == KWS_FORMAT_JSONL)
			print_json(&list[i], rates, n_rates, a.rates);
		else if (a.format == KWS_FORMAT_CSV)
			print_csv(&list[i], rates, n_rates, a.rates);
		else
			print_text(&list[i], rates, n_rates);
	}
	if (!n) {
		kws_out_complain("no audio input; `kws doctor' says why");
		return KWS_EXIT_INPUT;
	}
	return KWS_EXIT_OK;
}
