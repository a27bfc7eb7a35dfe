#include "gateway/mqtt/board.h"

#include <stdlib.h>
#include <string.h>

typedef struct cell {
	struct cell *next;
	char *text;
	bool dirty, put;
	char topic[];
} cell;

struct kws_board {
	cell *first; /* in the order in which they came */
};

kws_board *kws_board_create(void)
{
	return calloc(1, sizeof(kws_board));
}

void kws_board_destroy(kws_board *b)
{
	while (b && b->first) {
		cell *c = b->first;

		b->first = c->next;
		free(c->text);
		free(c);
	}
	free(b);
}

static cell *find(const kws_board *b, const char *topic)
{
	cell *c = b->first;

	while (c && strcmp(c->topic, topic) != 0)
		c = c->next;
	return c;
}

static cell *append(kws_board *b, const char *topic)
{
	const size_t n = strlen(topic) + 1;
	cell *c = calloc(1, sizeof *c + n), **at = &b->first;

	if (!c)
		return NULL;
	memcpy(c->topic, topic, n);
	while (*at)
		at = &(*at)->next;
	*at = c;
	return c;
}

bool kws_board_put(kws_board *b, const char *topic, const char *text)
{
	cell *c = find(b, topic);
	char *copy;

	if (c)
		c->put = true;
	if (c && c->text && !strcmp(c->text, text))
		return true;
	copy = strdup(text);
	c = c || !copy ? c : append(b, topic);
	if (!c || !copy) {
		free(copy);
		return false;
	}
	free(c->text);
	c->text = copy;
	c->dirty = c->put = true;
	return true;
}

void kws_board_begin(kws_board *b)
{
	for (cell *c = b->first; c; c = c->next)
		c->put = false;
}

void kws_board_end(kws_board *b)
{
	for (cell *c = b->first; c; c = c->next)
		if (!c->put)
			kws_board_put(b, c->topic, "");
}

bool kws_board_has(const kws_board *b, const char *topic)
{
	const cell *c = find(b, topic);

	return c && *c->text;
}

void kws_board_renew(kws_board *b)
{
	for (cell *c = b->first; c; c = c->next)
		c->dirty = true;
}

void kws_board_publish(kws_board *b, kws_board_fn *fn, void *ctx)
{
	cell **at = &b->first;

	while (*at) {
		cell *c = *at;

		if (c->dirty && !fn(ctx, c->topic, c->text, strlen(c->text)))
			return;
		c->dirty = false;
		if (*c->text) {
			at = &c->next;
			continue;
		}
		*at = c->next; /* removed */
		free(c->text);
		free(c);
	}
}
