/* read_file.h - the whole of a file. */
#ifndef KWS_TEST_READ_FILE_H
#define KWS_TEST_READ_FILE_H

#include <stdio.h>
#include <stdlib.h>

/* Its bytes, malloc'ed, with a NUL behind them; NULL: it cannot be read. */
static inline void *read_file(const char *path, size_t *len)
{
	FILE *f = fopen(path, "rb");
	long size = -1;
	char *bytes = NULL;
	if (f && fseek(f, 0, SEEK_END) == 0 && (size = ftell(f)) >= 0 && fseek(f, 0, SEEK_SET) == 0)
		bytes = malloc((size_t)size + 1);
	if (bytes && fread(bytes, 1, (size_t)size, f) != (size_t)size) {
		free(bytes);
		bytes = NULL;
	}
	if (f)
		fclose(f);
	if (bytes)
		bytes[size] = '\0';
	*len = bytes ? (size_t)size : 0;
	return bytes;
}

#endif
