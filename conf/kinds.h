/* kinds.h - the kinds of values that keys of the configuration have: how each is read, written
 * and described. */
#ifndef KWS_CONF_KINDS_H
#define KWS_CONF_KINDS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct kws_conf_key kws_conf_key;

/* What kwsd makes, or writes to, at a path. */
enum kws_conf_what { KWS_CONF_NOWHERE, KWS_CONF_A_FILE, KWS_CONF_A_SOCKET, KWS_CONF_A_FOLDER };

typedef struct {
	bool (*parse)(const kws_conf_key *k, const char *text, void *field);
	void (*print)(const kws_conf_key *k, const void *field, char *text, size_t n);
	void (*range)(const kws_conf_key *k, char *text, size_t n);
	enum kws_conf_what place;
} kws_conf_kind;

struct kws_conf_key {
	const char *section, *name;
	const kws_conf_kind *kind;
	size_t offset;
	double min, max;
	const char *def;
	bool live; /* may be changed without a reload */
};

/* parse: takes the whole text, or returns false and leaves the field unchanged. print: writes a
 * text that parse reads back to the same value. range: the valid range, for messages. max of a text
 * is the size of its array. */
extern const kws_conf_kind kws_conf_count, kws_conf_latency, kws_conf_real, kws_conf_count_or_model,
	kws_conf_real_or_model;
extern const kws_conf_kind kws_conf_text, kws_conf_device, kws_conf_command, kws_conf_mode,
	kws_conf_choice;
/* Paths that kwsd reads, or other programs use, and paths that it writes to. No two of the latter may
 * be the same. */
extern const kws_conf_kind kws_conf_path, kws_conf_path_or_auto, kws_conf_file_path,
	kws_conf_socket_path, kws_conf_folder_path, kws_conf_file_path_or_auto,
	kws_conf_socket_path_or_auto;
/* The length of a queue of events. It takes memory if the section is on. */
extern const kws_conf_kind kws_conf_events;
/* The name of a section, or several names, separated by one blank. */
extern const kws_conf_kind kws_conf_name, kws_conf_names;

/* Write the shortest text that reads back as the same float. */
void kws_conf_write_real(float f, char *text, size_t n);

#endif
