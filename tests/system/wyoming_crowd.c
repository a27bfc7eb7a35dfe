/* wyoming_crowd - many Wyoming clients at once, for tests and figures of kwsd-wyoming at 127.0.0.1:PORT.
 *
 *   wyoming_crowd PORT stream N FILE   N clients send FILE (headerless, 16 bit, 16 kHz, mono) in real time, 20 ms at
 *                                      a time. One line for each: the words that it was told. Meanwhile somebody
 *                                      asks describe again and again. To standard error: how long what was sent
 *                                      waited to be heard (by ping), and describe to be answered, ms
 *   wyoming_crowd PORT describe S PEER S seconds: somebody asks describe at PORT and at PEER, in turns, 50 times a
 *                                      second. To standard error: how long each took to answer, ms
 *   wyoming_crowd PORT connects N      describe in N connections, one after another
 *   wyoming_crowd PORT hostile S       what nobody should send, for S seconds: floods that are not read, unfinished
 *                                      headers, large data, noise, hurried audio */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 1000, CHUNK = 640, CHUNK_MS = 20, PING_EVERY = 25, TIMES = 200000, KINDS = 6 };

static struct sockaddr_in address;

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

static void die(const char *what)
{
	fprintf(stderr, "wyoming_crowd: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int come(int flags)
{
	const int one = 1, fd = socket(AF_INET, SOCK_STREAM | flags, 0);

	if (fd < 0
	    || (connect(fd, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS))
		die("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	return fd;
}

/* ---- times ---- */

typedef struct {
	double ms[TIMES];
	size_t n;
} times;

static int by_size(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void say_times(const char *what, times *t)
{
	qsort(t->ms, t->n, sizeof *t->ms, by_size);
	if (t->n)
		fprintf(stderr, "%s, ms: median %.2f, p90 %.2f, p99 %.2f, longest %.2f, n %zu\n",
			what, t->ms[t->n / 2], t->ms[t->n * 9 / 10], t->ms[t->n * 99 / 100],
			t->ms[t->n - 1], t->n);
}

static void note_time(times *t, double ms)
{
	if (t->n < TIMES)
		t->ms[t->n++] = ms;
}

/* ---- clients that stream ---- */

typedef struct {
	int fd;
	double begin,
		asked; /* when it began; when it sent the ping that is not answered yet, 0: none */
	size_t sent;   /* bytes of the recording */
	unsigned chunks, asks; /* asks: pings that are not answered yet */
	bool stopped, done;
	char out[2 * 65536], in[65536], words[4096];
	size_t n_out, n_in, n_words;
} client;

static char *recording;
static size_t n_recording;

static void put(client *c, const void *bytes, size_t n)
{
	memcpy(c->out + c->n_out, bytes, n);
	c->n_out += n;
}

static void put_text(client *c, const char *text)
{
	put(c, text, strlen(text));
}

static void flush(client *c)
{
	const ssize_t n = send(c->fd, c->out, c->n_out, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0 && errno != EAGAIN)
		die("send");
	if (n <= 0)
		return;
	c->n_out -= (size_t)n;
	memmove(c->out, c->out + n, c->n_out);
}

/* What is due by now: a chunk every 20 ms, now and then a ping behind it. What cannot be sent waits, as in a satellite:
 * a server that is behind shows in the times. */
static void send_due(client *c, double now)
{
	char head[160];

	while (!c->stopped && now >= c->begin + (double)CHUNK_MS * c->chunks
	       && sizeof c->out - c->n_out >= 2 * CHUNK) {
		const size_t left = n_recording - c->sent, n = left < CHUNK ? left : CHUNK;

		snprintf(head, sizeof head,
			 "{\"type\": \"audio-chunk\", \"data_length\": 45, \"payload_length\": "
			 "%zu}\n"
			 "{\"rate\": 16000, \"width\": 2, \"channels\": 1   }",
			 n);
		if (n) {
			put_text(c, head);
			put(c, recording + c->sent, n);
			c->sent += n;
		}
		if (!n) {
			put_text(c, "{\"type\": \"audio-stop\"}\n{\"type\": \"ping\"}\n");
			c->stopped = true;
			c->asks++;
		} else if (++c->chunks % PING_EVERY == 0 && c->asked <= 0.0) {
			put_text(c, "{\"type\": \"ping\"}\n");
			c->asked = now;
			c->asks++;
		}
	}
	flush(c);
}

/* Take the words and pongs out of what was read. */
static void take(client *c, times *t)
{
	char *at = c->in, *word, *pong;

	c->in[c->n_in] = 0;
	while ((word = strstr(at, "{\"name\": \"")) && strchr(word, '}')) {
		char name[64];
		long ms;

		if (sscanf(word, "{\"name\": \"%63[^\"]\", \"timestamp\": %ld", name, &ms) == 2)
			c->n_words +=
				(size_t)snprintf(c->words + c->n_words,
						 sizeof c->words - c->n_words, "%s %ld;", name, ms);
		at = strchr(word, '}') + 1;
	}
	for (pong = c->in; (pong = strstr(pong, "{\"text\": null}")); pong++) {
		if (c->asked > 0.0)
			note_time(t, now_ms() - c->asked);
		c->asked = 0.0;
		c->done = --c->asks == 0 && c->stopped;
		at = pong + 1 > at ? pong + 1 : at;
	}
	c->n_in -= (size_t)(at - c->in);
	memmove(c->in, at, c->n_in);
}

static void receive(client *c, times *t)
{
	const ssize_t n = recv(c->fd, c->in + c->n_in, sizeof c->in - 1 - c->n_in, MSG_DONTWAIT);

	if (n == 0 || (n < 0 && errno != EAGAIN))
		die("the server hung up");
	c->n_in += n > 0 ? (size_t)n : 0;
	take(c, t);
}

/* ---- who asks describe ---- */

typedef struct {
	int fd;
	double begin;
	char last[4];
} asking;

static void ask(asking *a)
{
	static const char text[] = "{\"type\": \"describe\"}\n";

	a->begin = now_ms();
	a->fd = come(0);
	memset(a->last, 0, sizeof a->last);
	if (send(a->fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		die("send");
}

/* The data of info end in "[]}". */
static bool is_answered(asking *a)
{
	char bytes[65536];
	const ssize_t n = recv(a->fd, bytes, sizeof bytes, MSG_DONTWAIT);

	if (n == 0 || (n < 0 && errno != EAGAIN))
		die("describe");
	return n >= 3 && !memcmp(bytes + n - 3, "[]}", 3);
}

static void stream(size_t n)
{
	client *all = calloc(n, sizeof *all);
	struct pollfd *p = calloc(n + 1, sizeof *p);
	static times heard, described;
	asking a = { .fd = -1 };
	double next = 0.0;
	size_t left = n;

	for (size_t i = 0; i < n; i++) {
		all[i].fd = come(0);
		all[i].begin = now_ms() + 1000.0 * (double)i / (double)n;
		p[i] = (struct pollfd){ .fd = all[i].fd, .events = POLLIN };
	}
	while (left) {
		const double now = now_ms();

		if (a.fd < 0 && now >= next)
			ask(&a);
		p[n] = (struct pollfd){ .fd = a.fd, .events = POLLIN };
		poll(p, n + 1, 1);
		if (a.fd >= 0 && p[n].revents && is_answered(&a)) {
			note_time(&described, now_ms() - a.begin);
			close(a.fd);
			a.fd = -1;
			next = now + 20.0;
		}
		left = 0;
		for (size_t i = 0; i < n; i++) {
			if (p[i].revents)
				receive(&all[i], &heard);
			send_due(&all[i], now_ms());
			left += !all[i].done;
		}
	}
	for (size_t i = 0; i < n; i++)
		puts(all[i].words);
	say_times("sent until heard", &heard);
	say_times("describe", &described);
}

/* Ask, and wait for the answer. */
static void describe(times *t)
{
	asking a;

	ask(&a);
	do
		poll(&(struct pollfd){ .fd = a.fd, .events = POLLIN }, 1, 1000);
	while (!is_answered(&a));
	note_time(t, now_ms() - a.begin);
	close(a.fd);
}

static void describes(double seconds, const char *peer)
{
	const struct sockaddr_in here = address;
	const double until = now_ms() + 1e3 * seconds;
	static times crowded, idle;

	while (now_ms() < until) {
		poll(NULL, 0, 10);
		address = here;
		describe(&crowded);
		poll(NULL, 0, 10);
		address.sin_port = htons((unsigned short)atoi(peer));
		describe(&idle);
	}
	say_times("describe", &crowded);
	say_times("describe at the peer", &idle);
}

static void connects(size_t n)
{
	static times t;

	while (n--)
		describe(&t);
}

/* ---- who does harm ---- */

/* What one of each kind sends, over and over. Returns how much. */
static size_t harm(int kind, char *bytes, size_t size)
{
	size_t n = 0;

	switch (kind) {
	case 0: return (size_t)snprintf(bytes, size, "{\"type\": \"describe\"}\n");
	case 1: return (size_t)snprintf(bytes, size, "{\"type\": \"describ");
	case 2:
		n = (size_t)snprintf(
			bytes, size,
			"{\"type\": \"detect\", \"data_length\": 60009}\n{\"names\":[");
		memset(bytes + n, ' ', 60000 - 2);
		memcpy(bytes + n + 60000 - 12, "\"a\",\"b\"]}", 9);
		return n + 59997;
	case 3:
		for (n = 0; n < 4000; n++)
			bytes[n] = (char)rand();
		return n;
	case 4:
		n = (size_t)snprintf(bytes, size,
				     "{\"type\": \"audio-chunk\", \"payload_length\": 32000, "
				     "\"data\": {\"rate\": "
				     "48000, \"width\": 2, \"channels\": 1}}\n");
		for (size_t i = 0; i < 32000; i++)
			bytes[n + i] = (char)rand();
		return n + 32000;
	default:
		return (size_t)snprintf(bytes, size,
					"{\"type\": \"ping\", \"data\": {\"text\": \"x\"}}\n");
	}
}

static void hostile(double seconds)
{
	static char bytes[KINDS][70000];
	size_t n[KINDS], at[3 * KINDS] = { 0 };
	int fd[3 * KINDS];
	const double until = now_ms() + 1e3 * seconds;

	for (int k = 0; k < KINDS; k++)
		n[k] = harm(k, bytes[k], sizeof bytes[k]);
	for (int i = 0; i < 3 * KINDS; i++)
		fd[i] = come(0);
	while (now_ms() < until) {
		for (int i = 0; i < 3 * KINDS; i++) {
			const int k = i % KINDS;
			const ssize_t sent = send(fd[i], bytes[k] + at[i], n[k] - at[i],
						  MSG_DONTWAIT | MSG_NOSIGNAL);

			at[i] += sent > 0 ? (size_t)sent : 0;
			if (at[i] == n[k] && k != 1)
				at[i] = 0;
			/* sent away: it is back */
			if (sent < 0 && errno != EAGAIN) {
				close(fd[i]);
				fd[i] = come(0);
				at[i] = 0;
			}
		}
		poll(NULL, 0, 1);
	}
}

static void read_recording(const char *path)
{
	FILE *f = fopen(path, "rb");
	enum { BYTES = 1 << 22 };

	recording = malloc(BYTES);
	if (!f || !recording)
		die(path);
	n_recording = fread(recording, 1, BYTES, f);
	fclose(f);
}

int main(int argc, char **argv)
{
	if (argc < 4) {
		fprintf(stderr, "usage: wyoming_crowd PORT stream|describe|connects|hostile N "
				"[FILE|PEER]\n");
		return 64;
	}
	signal(SIGPIPE, SIG_IGN);
	address = (struct sockaddr_in){ .sin_family = AF_INET,
					.sin_port = htons((unsigned short)atoi(argv[1])),
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	if (!strcmp(argv[2], "connects")) {
		connects((size_t)atol(argv[3]));
	} else if (!strcmp(argv[2], "hostile")) {
		hostile(atof(argv[3]));
	} else if (argc > 4 && !strcmp(argv[2], "describe")) {
		describes(atof(argv[3]), argv[4]);
	} else if (argc > 4) {
		read_recording(argv[4]);
		stream((size_t)atol(argv[3]));
	}
	return 0;
}
