/* seeds.c - write the seeds that are made by code: `seeds DIR`. `make seeds` runs it on tests/fuzz/seeds. `seeds --check DIR`
 * writes nothing, and says which of them differ from what stands there: the format of a model file has changed, or somebody
 * has edited a seed. */
#include "model/write.h"
#include "tests/fuzz/craft.h"
#include "tests/fuzz/kinds.h"

#include <errno.h>
#include <sys/stat.h>

static const char *root;
static bool only_check;
static int n_differ;

static void complain(const char *path, const char *what)
{
	fprintf(stderr, "%s: %s\n", path, what);
	n_differ++;
}

static void compare(const char *path, const unsigned char *bytes, size_t n)
{
	FILE *f = fopen(path, "rb");
	size_t i = 0;
	int byte = 0;
	if (!f) {
		complain(path, strerror(errno));
		return;
	}
	while ((byte = getc(f)) != EOF && i < n && byte == bytes[i])
		i++;
	if (byte != EOF || i != n)
		complain(path, "not as the code writes it; `make seeds' writes all of them anew");
	fclose(f);
}

/* Folders are made as they are needed. */
static void put(const char *name, const void *bytes, size_t n)
{
	char path[4096];
	snprintf(path, sizeof path, "%s/%s", root, name);
	if (only_check) {
		compare(path, bytes, n);
		return;
	}
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0777); /* the file tells whether it is there */
		*slash = '/';
	}
	FILE *f = fopen(path, "wb");
	const bool good = f && fwrite(bytes, 1, n, f) == n;
	if ((f && fclose(f) != 0) || !good)
		complain(path, strerror(errno));
}

static void put_model(const char *to, size_t i, const void *head, size_t n_head)
{
	char name[256];
	size_t len;
	unsigned char *model = craft_model(kinds[i].name, kinds[i].features, kinds[i].network,
					   DECISION, i + 1, &len);
	unsigned char *whole = malloc(n_head + len);
	if (!whole)
		abort();
	if (n_head)
		memcpy(whole, head, n_head);
	memcpy(whole + n_head, model, len);
	snprintf(name, sizeof name, "%s/%s", to, kinds[i].name);
	put(name, whole, n_head + len);
	free(model);
	free(whole);
}

static void put_text(const char *name, const char *text)
{
	put(name, text, strlen(text));
}

static void put_devices(void)
{
	static const char list[] =
		"\nUSB Audio: Mic (hw:1,0)\nhw:CARD=Mic,DEV=0\n"
		"default\ndefault\nHDA Intel PCH: ALC (hw:0,0)\nhw:CARD=PCH,DEV=2\n";
	static const struct {
		const char *file, *name;
	} names[] = {
		{ "ok/default", "default" },
		{ "ok/card", "hw:CARD=PCH,DEV=2" },
		{ "ok/plug", "plughw:Mic" },
		{ "ok/id", "pch" },
		{ "ok/part", "alc" },
		{ "bad/number", "1" },
		{ "bad/none", "" },
		{ "bad/other_dev", "hw:CARD=PCH,DEV=99999999999999999999" },
		{ "bad/raw", "raw:/dev/null" },
		{ "bad/two_lines", "\x1b[2J" },
	};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char file[64], text[512];
		snprintf(file, sizeof file, "fuzz_device/%s", names[i].file);
		snprintf(text, sizeof text, "%s%s", names[i].name, list);
		put_text(file, text);
	}
}

static void put_clip(const char *file, double wall, unsigned char score, unsigned char near,
		     const char *word)
{
	unsigned char bytes[128];
	memcpy(bytes, &wall, sizeof wall);
	bytes[8] = score;
	bytes[9] = near;
	memcpy(bytes + 10, word, strlen(word));
	put(file, bytes, 10 + strlen(word));
}

static void put_clips(void)
{
	put_clip("fuzz_clip/ok/yes", 1772366400.25, 237, 0, "yes");
	put_clip("fuzz_clip/ok/near", 1772366400.0, 100, 1, "go");
	put_clip("fuzz_clip/ok/path", 0.0, 255, 0, "../../etc/passwd");
	put_clip("fuzz_clip/ok/bytes", 1e9, 0, 1, "\n\x1b[2J \xc3\xa9\xff.");
	put_clip("fuzz_clip/ok/no_clock", nan(""), 0, 1, "go");
	put_clip("fuzz_clip/ok/far_clock", -3.39e127, 0, 1, "go");
	put_clip("fuzz_clip/ok/long", 1e9, 0, 1,
		 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz");
}

static void put_settings(void)
{
	put_text("fuzz_set/ok/each",
		 "audio.device=hw:CARD=Mic,DEV=0\naudio.rate_hz=48000\n"
		 "decision.threshold=0.7\nthreshold.yes=0.5\nthreshold.yes=off\n"
		 "socket.mode=0666\nlog.level=debug\nstdout.enabled=auto\n"
		 "hook.command=/bin/sh -c \"echo \\\"x\\\"\"\n"
		 "clips.near_miss=0.333333333333\nmodel.path=/a b.safetensors");
	put_text("fuzz_set/ok/lists",
		 "audio kitchen.device=a\naudio attic.enabled=no\nmodel b.after=a\n"
		 "model b.within_s=2.5\naudio kitchen.models=a, b\nthreshold b.yes=off\n"
		 "decision c.threshold=0.5\ndecision.threshold=model\nfile all.path=/x\n"
		 "control.path=\ncontrol.state=auto");
	put_text("fuzz_set/ok/live",
		 "audio.enabled=no\nthreshold b.yes=off\ndecision c.threshold=0.5\n"
		 "decision b.smooth_ms=0\nthreshold.o'clock now=0.5\ndecision.threshold=0.3");
	put_text("fuzz_set/bad/name", "audio kit/chen.device=x");
	put_text("fuzz_set/bad/plain", "audio kitchen.device=x\naudio.device=y");
	put_text("fuzz_set/bad/ninth",
		 "file a.path=\nfile b.path=\nfile c.path=\nfile d.path=\nfile e.path=\n"
		 "file f.path=\nfile g.path=\nfile h.path=\nfile i.path=");
	put_text("fuzz_set/bad/no_list", "log x.level=info");
	put_text("fuzz_set/ok/empty_value", "socket.path=\nfile.path=");
	put_text("fuzz_set/ok/blanks", "hook.command=  /bin/sh -c \\\\ \nhook.command= ");
	put_text("fuzz_set/bad/escaped_blank", "hook.command=/bin/sh a\\ ");
	put_text("fuzz_set/bad/no_dot", "threshold=0.5");
	put_text("fuzz_set/bad/no_key", "audio.devise=default");
	put_text("fuzz_set/bad/range", "decision.threshold=1.5");
	put_text("fuzz_set/bad/control", "audio.device=a\tb\x1b[2J");
	put_text("fuzz_set/bad/long",
		 "threshold.abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz=1");
	put_text("fuzz_set/bad/colon", "threshold.y:s=0.5");
	put_text("fuzz_set/bad/section", "threshold.[yes=0.5");
	put_text("fuzz_set/bad/not_a_number", "decision.threshold=nan");
}

/* fuzz_stream: rate, seed of the cuts, then runs: how and how many, and their samples. */
static void put_sound(const char *file, unsigned char rate, unsigned char how, const void *values,
		      size_t n)
{
	unsigned char bytes[512] = { rate, 1, 2, 3, 4 };
	size_t at = 5;
	for (int run = 0; run < 12 && at + 1 + n <= sizeof bytes; run++) {
		bytes[at++] = (unsigned char)(how | 31 << 3);
		memcpy(bytes + at, values, n);
		at += n;
	}
	put(file, bytes, at);
}

static void put_sounds(void)
{
	const float odd[] = { NAN, INFINITY, -INFINITY, 1e-40f, 3e38f, -0.0f, 1e4f };
	unsigned char noise[460];
	uint64_t state = 1;
	for (size_t i = 0; i < sizeof noise; i++)
		noise[i] = (unsigned char)craft_random(&state);
	for (unsigned char rate = 0; rate < 6; rate++) {
		char file[64];
		snprintf(file, sizeof file, "fuzz_stream/ok/noise_%u", rate);
		put_sound(file, rate, 0, noise, sizeof noise);
		snprintf(file, sizeof file, "fuzz_stream/ok/odd_%u", rate);
		put_sound(file, rate, 5, odd + rate, sizeof *odd);
	}
	put_sound("fuzz_stream/ok/bits", 0, 3, noise, sizeof noise);
	put("fuzz_stream/bad/short", "\1\2\3\4", 4);
}

/* fuzz_event: nine texts, each its length and its bytes, six counts, seven numbers. */
static void put_event(const char *file, const char *text, size_t n, double x)
{
	unsigned char bytes[9 * 256 + 13 * 8];
	size_t at = 0;
	for (int i = 0; i < 9; i++) {
		bytes[at++] = (unsigned char)n;
		memcpy(bytes + at, text, n);
		at += n;
	}
	for (uint64_t i = 0; i < 6; i++, at += sizeof i)
		memcpy(bytes + at, &i, sizeof i);
	for (int i = 0; i < 7; i++, at += sizeof x)
		memcpy(bytes + at, &x, sizeof x);
	put(file, bytes, at);
}

static void put_events(void)
{
	char text[255];
	put_event("fuzz_event/ok/yes", "yes", 3, 0.93);
	put_event("fuzz_event/ok/none", "", 0, nan(""));
	put_event("fuzz_event/ok/quotes", "\"\\\n\t\x1b\x7f/", 7, 1e300);
	put_event("fuzz_event/ok/bytes", "\xff\xc3\xa9\xed\xa0\x80", 6, -1e-5);
	put_event("fuzz_event/ok/c1", "U,M\xc2\x9aH", 6, 1.0);
	memset(text, 1, sizeof text);
	put_event("fuzz_event/ok/longest", text, sizeof text, 1.2345678901234567e-300);
	put("fuzz_event/bad/nothing", "", 0);
}

static void put_bank(const char *file, const char *format, const char *parts)
{
	static const signed char rows[] = { 127, -128, 0, 32, -32, 1 };
	const size_t shape[] = { 3, 2 };
	kws_write *w;
	unsigned char *bytes;
	size_t len;
	if (kws_write_create(&w, NULL, 0, NULL))
		abort();
	kws_write_text(w, "format", format);
	kws_write_text(w, "version", "2");
	kws_write_text(w, "dim", "4");
	kws_write_text(w, "base",
		       "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
	kws_write_text(w, "row_ms", "80");
	kws_write_text(w, "parts", parts);
	kws_write_tensor(w, "rows", KWS_I8, 2, shape, rows);
	kws_write_tensor(w, "noise", KWS_I8, 2, shape, rows);
	if (kws_write_bytes(w, &bytes, &len, NULL))
		abort();
	put(file, bytes, len);
	free(bytes);
	kws_write_destroy(w);
}

static void put_banks(void)
{
	put_bank("fuzz_bank/ok/two", "kws-bank",
		 "[{\"name\":\"a\",\"rows\":2,\"use\":\"fit\"},{\"name\":\"b\",\"rows\":1,\"use\":"
		 "\"judge\"}]");
	put_bank("fuzz_bank/ok/one", "kws-bank", "[{\"name\":\"a\",\"rows\":3,\"use\":\"judge\"}]");
	put_bank("fuzz_bank/bad/few", "kws-bank", "[{\"name\":\"a\",\"rows\":1,\"use\":\"fit\"}]");
	put_bank("fuzz_bank/bad/format", "kws-model",
		 "[{\"name\":\"a\",\"rows\":3,\"use\":\"fit\"}]");
}

int main(int argc, char **argv)
{
	only_check = argc == 3 && strcmp(argv[1], "--check") == 0;
	if (argc != 2 + only_check) {
		fprintf(stderr, "usage: seeds [--check] DIR\n");
		return 2;
	}
	root = argv[argc - 1];
	for (size_t i = 0; i < N_KINDS; i++) {
		put_model("fuzz_model/ok", i, "", 0);
		put_model("fuzz_model_copy/ok", i, "\x80\0\xff\1\0\0\0\0", 8);
	}
	put_text("fuzz_model_copy/bad/no_model", "12345678no model");
	put_devices();
	put_clips();
	put_settings();
	put_sounds();
	put_events();
	put_banks();
	return n_differ != 0;
}
