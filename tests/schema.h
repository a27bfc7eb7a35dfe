/* schema.h - is a line an event as docs/event.schema.json has it? A reader of the part of JSON Schema 2020-12 that the file
 * uses; a keyword beyond it fails, so that none is passed over. */
#ifndef KWS_TESTS_SCHEMA_H
#define KWS_TESTS_SCHEMA_H

#include <jansson.h>
#include <regex.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define SCHEMA_FILE "docs/event.schema.json"

typedef struct {
	char text[256];
} schema_error;

static inline bool schema_wrong(schema_error *e, const char *key, const char *what)
{
	snprintf(e->text, sizeof e->text, "%s: %s", key, what);
	return false;
}

static inline bool schema_is(const char *type, const json_t *v)
{
	return !strcmp(type, "object")	  ? json_is_object(v)
	       : !strcmp(type, "string")  ? json_is_string(v)
	       : !strcmp(type, "integer") ? json_is_integer(v)
	       : !strcmp(type, "number")  ? json_is_number(v)
	       : !strcmp(type, "null")	  ? json_is_null(v)
					  : false;
}

static inline bool schema_type(const json_t *type, const json_t *v)
{
	if (json_is_string(type))
		return schema_is(json_string_value(type), v);
	for (size_t i = 0; i < json_array_size(type); i++)
		if (schema_is(json_string_value(json_array_get(type, i)), v))
			return true;
	return false;
}

static inline bool schema_matches(const char *pattern, const char *text)
{
	regex_t r;
	if (!text || regcomp(&r, pattern, REG_EXTENDED | REG_NOSUB) != 0)
		return false;
	const bool found = regexec(&r, text, 0, NULL, 0) == 0;
	regfree(&r);
	return found;
}

/* One member against its own schema. */
static inline bool schema_member(const json_t *schema, const char *key, const json_t *v,
				 schema_error *e)
{
	const char *rule;
	json_t *want;
	json_object_foreach((json_t *)(uintptr_t)schema, rule, want)
	{
		bool holds;
		if (!strcmp(rule, "description"))
			holds = json_is_string(want);
		else if (!strcmp(rule, "type"))
			holds = schema_type(want, v);
		else if (!strcmp(rule, "minimum"))
			holds = json_number_value(v) >= json_number_value(want);
		else if (!strcmp(rule, "maximum"))
			holds = json_number_value(v) <= json_number_value(want);
		else if (!strcmp(rule, "pattern"))
			holds = schema_matches(json_string_value(want), json_string_value(v));
		else
			holds = false;
		if (!holds)
			return schema_wrong(e, key, rule);
	}
	return true;
}

static inline bool schema_has(const json_t *keys, const json_t *o, schema_error *e)
{
	for (size_t i = 0; i < json_array_size(keys); i++) {
		const char *key = json_string_value(json_array_get(keys, i));
		if (!json_object_get(o, key))
			return schema_wrong(e, key, "is missing");
	}
	return true;
}

static inline bool schema_rules_known(const json_t *schema, schema_error *e)
{
	static const char *const known[] = { "$schema",	    "title",
					     "description", "type",
					     "properties",  "additionalProperties",
					     "required",    "dependentRequired" };
	const char *rule;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)schema, rule, value)
	{
		bool found = false;
		for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
			found |= !strcmp(rule, known[i]);
		if (!found)
			return schema_wrong(e, rule, "a keyword that is not known");
	}
	return json_is_false(json_object_get(schema, "additionalProperties"));
}

static inline bool schema_fits(const json_t *schema, const json_t *o, schema_error *e)
{
	const json_t *members = json_object_get(schema, "properties");
	const char *key;
	json_t *v;
	if (!schema_rules_known(schema, e)
	    || !schema_has(json_object_get(schema, "required"), o, e))
		return false;
	if (!schema_type(json_object_get(schema, "type"), o))
		return schema_wrong(e, "event", "type");
	json_object_foreach((json_t *)(uintptr_t)o, key, v)
	{
		const json_t *mine = json_object_get(members, key);
		if (!mine)
			return schema_wrong(e, key, "not in the schema");
		if (!schema_member(mine, key, v, e))
			return false;
	}
	json_object_foreach(json_object_get(schema, "dependentRequired"), key, v)
	{
		if (json_object_get(o, key) && !schema_has(v, o, e))
			return false;
	}
	return true;
}

static inline json_t *schema_load(void)
{
	return json_load_file(SCHEMA_FILE, JSON_REJECT_DUPLICATES, NULL);
}

/* Every line of text is an event; returns how many there are, or -1 and the reason on standard error. */
static inline int schema_check_lines(const char *text)
{
	json_t *schema = schema_load();
	int n = 0;
	for (; n >= 0 && *text; n++) {
		const size_t length = strcspn(text, "\n");
		json_t *o = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
		schema_error e = { "no JSON" };
		if (!schema || !o || !schema_fits(schema, o, &e)) {
			fprintf(stderr, "%s: %s: %.*s\n", SCHEMA_FILE, e.text, (int)length, text);
			n = -2;
		}
		json_decref(o);
		text += length + (text[length] == '\n');
	}
	json_decref(schema);
	return n;
}

#endif
