/* schema.h - is a line what docs/event.schema.json, or another schema there, says? A reader of the part of JSON Schema
 * 2020-12 that these files use; a keyword beyond it fails, so that none is passed over. */
#ifndef KWS_TESTS_SCHEMA_H
#define KWS_TESTS_SCHEMA_H

#include <jansson.h>
#include <regex.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define SCHEMA_FILE    "docs/event.schema.json"
#define CONTROL_SCHEMA "docs/control.schema.json"

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
	       : !strcmp(type, "array")	  ? json_is_array(v)
	       : !strcmp(type, "string")  ? json_is_string(v)
	       : !strcmp(type, "integer") ? json_is_integer(v)
	       : !strcmp(type, "number")  ? json_is_number(v)
	       : !strcmp(type, "boolean") ? json_is_boolean(v)
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

static inline bool schema_has(const json_t *keys, const json_t *o, schema_error *e)
{
	for (size_t i = 0; i < json_array_size(keys); i++) {
		const char *key = json_string_value(json_array_get(keys, i));
		if (!json_object_get(o, key))
			return schema_wrong(e, key, "is missing");
	}
	return true;
}

static inline bool schema_depends(const json_t *rules, const json_t *o, schema_error *e)
{
	const char *key;
	json_t *keys;
	json_object_foreach((json_t *)(uintptr_t)rules, key, keys)
	{
		if (json_object_get(o, key) && !schema_has(keys, o, e))
			return false;
	}
	return true;
}

static inline bool schema_one_of(const json_t *values, const json_t *v)
{
	for (size_t i = 0; i < json_array_size(values); i++)
		if (json_equal(json_array_get(values, i), v))
			return true;
	return false;
}

static inline bool schema_fits(const json_t *schema, const json_t *v, schema_error *e);

/* Members that are described, and those that are not. */
static inline bool schema_members(const json_t *schema, const json_t *o, schema_error *e)
{
	const json_t *others = json_object_get(schema, "additionalProperties");
	const char *key;
	json_t *v;
	if (!others)
		return schema_wrong(e, "additionalProperties", "is missing");
	json_object_foreach((json_t *)(uintptr_t)o, key, v)
	{
		const json_t *mine = json_object_get(json_object_get(schema, "properties"), key);
		schema_error inner = { "not in the schema" };
		if (!mine && json_is_object(others))
			mine = others;
		if (!mine || !schema_fits(mine, v, &inner))
			return schema_wrong(e, key, inner.text);
	}
	return true;
}

static inline bool schema_items(const json_t *of, const json_t *list, schema_error *e)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (!schema_fits(of, json_array_get(list, i), e))
			return false;
	return true;
}

/* Exactly one of them. */
static inline bool schema_exactly_one(const json_t *schemas, const json_t *v)
{
	schema_error e;
	size_t n = 0;
	for (size_t i = 0; i < json_array_size(schemas); i++)
		n += schema_fits(json_array_get(schemas, i), v, &e);
	return n == 1;
}

/* "event.schema.json", beside this one. */
static inline bool schema_ref(const char *name, const json_t *v, schema_error *e)
{
	char path[256];
	snprintf(path, sizeof path, "docs/%s", name);
	json_t *schema = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
	const bool fits = schema && schema_fits(schema, v, e);
	json_decref(schema);
	return fits;
}

/* One keyword of a schema. */
static inline bool schema_rule(const json_t *schema, const char *rule, const json_t *want,
			       const json_t *v, schema_error *e)
{
	if (!strcmp(rule, "$schema") || !strcmp(rule, "title") || !strcmp(rule, "description"))
		return json_is_string(want);
	if (!strcmp(rule, "type"))
		return schema_type(want, v);
	if (!strcmp(rule, "minimum"))
		return !json_is_number(v) || json_number_value(v) >= json_number_value(want);
	if (!strcmp(rule, "maximum"))
		return !json_is_number(v) || json_number_value(v) <= json_number_value(want);
	if (!strcmp(rule, "pattern"))
		return !json_is_string(v)
		       || schema_matches(json_string_value(want), json_string_value(v));
	if (!strcmp(rule, "enum"))
		return schema_one_of(want, v);
	if (!strcmp(rule, "required"))
		return !json_is_object(v) || schema_has(want, v, e);
	if (!strcmp(rule, "dependentRequired"))
		return !json_is_object(v) || schema_depends(want, v, e);
	if (!strcmp(rule, "properties"))
		return !json_is_object(v) || schema_members(schema, v, e);
	if (!strcmp(rule, "additionalProperties"))
		return json_is_boolean(want) || !json_is_object(v) || schema_members(schema, v, e);
	if (!strcmp(rule, "items"))
		return !json_is_array(v) || schema_items(want, v, e);
	if (!strcmp(rule, "oneOf"))
		return schema_exactly_one(want, v);
	if (!strcmp(rule, "$ref"))
		return schema_ref(json_string_value(want), v, e);
	return schema_wrong(e, rule, "a keyword that is not known");
}

static inline bool schema_fits(const json_t *schema, const json_t *v, schema_error *e)
{
	const char *rule;
	json_t *want;
	json_object_foreach((json_t *)(uintptr_t)schema, rule, want)
	{
		e->text[0] = 0;
		if (schema_rule(schema, rule, want, v, e))
			continue;
		if (!*e->text)
			snprintf(e->text, sizeof e->text, "%s", rule);
		return false;
	}
	return json_is_object(schema);
}

static inline json_t *schema_load(void)
{
	return json_load_file(SCHEMA_FILE, JSON_REJECT_DUPLICATES, NULL);
}

/* Every line of text is one; returns how many there are, or -1 and the reason on standard error. */
static inline int schema_check_lines_of(const char *file, const char *text)
{
	json_t *schema = json_load_file(file, JSON_REJECT_DUPLICATES, NULL);
	int n = 0;
	for (; n >= 0 && *text; n++) {
		const size_t length = strcspn(text, "\n");
		json_t *o = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
		schema_error e = { "no JSON" };
		if (!schema || !o || !schema_fits(schema, o, &e)) {
			fprintf(stderr, "%s: %s: %.*s\n", file, e.text, (int)length, text);
			n = -2;
		}
		json_decref(o);
		text += length + (text[length] == '\n');
	}
	json_decref(schema);
	return n;
}

static inline int schema_check_lines(const char *text)
{
	return schema_check_lines_of(SCHEMA_FILE, text);
}

#endif
