/* ops_reference.c - reads reference files. */
#include "mmi_build.h"

#include "ops_reference.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static FILE *open_file(const char *name)
{
	const char *folder = getenv("srcdir");
	char path[4096];
	char first[16] = "";

	snprintf(path, sizeof path, "%s/tests/reference/%s", folder ? folder : ".", name);
	FILE *f = fopen(path, "rb");
	if (!f || !fgets(first, sizeof first, f) || strcmp(first, "MMREF1\n") != 0) {
		printf("%s: %s; the environment's srcdir must name the source folder\n", path,
		       f ? "not a reference file" : "not found");
		if (f)
			fclose(f);
		return NULL;
	}
	return f;
}

/* "NAME TYPE DIM..."; returns the type, 0 when malformed. */
static char parse_header(char *line, reference_record *record)
{
	char *rest = NULL;
	const char *name = strtok_r(line, " \n", &rest), *type = strtok_r(NULL, " \n", &rest);

	if (!name || !type || strlen(name) >= sizeof record->name || (type[0] != 'f' && type[0] != 'd'))
		return 0;
	memcpy(record->name, name, strlen(name) + 1);
	record->count = 1;
	for (const char *dim; (dim = strtok_r(NULL, " \n", &rest)) && record->rank < REFERENCE_MAX_RANK;) {
		record->dim[record->rank] = strtoll(dim, NULL, 10);
		record->count *= record->dim[record->rank++];
	}
	return type[0];
}

static bool read_values(FILE *f, reference_record *record, char type)
{
	record->values = mmi_alloc((size_t)record->count, sizeof(double));
	for (int64_t i = 0; record->values && i < record->count; i++) {
		float single = 0;
		const bool read = type == 'f' ? fread(&single, sizeof single, 1, f) == 1
		                              : fread(&record->values[i], sizeof(double), 1, f) == 1;

		if (!read)
			return false;
		if (type == 'f')
			record->values[i] = (double)single;
	}
	return record->values != NULL;
}

bool reference_open_file(reference *r, const char *name)
{
	FILE *f = open_file(name);
	char line[256];
	bool good = f != NULL;

	*r = (reference){ 0 };
	while (good && fgets(line, sizeof line, f)) {
		reference_record record = { 0 };
		const char type = parse_header(line, &record);
		reference_record *grown = type ? mmi_grow(r->records, r->n, r->n + 1, sizeof *grown) : NULL;

		good = grown && read_values(f, &record, type);
		if (grown) {
			r->records = grown;
			r->records[r->n++] = record;
		}
		if (!good)
			printf("%s: damaged at record %zu\n", name, r->n);
	}
	if (f)
		fclose(f);
	if (!good)
		reference_close(r);
	return good;
}

bool reference_open(reference *r)
{
	return reference_open_file(r, "ops.bin");
}

void reference_close(reference *r)
{
	for (size_t i = 0; i < r->n; i++)
		mmi_free(r->records[i].values);
	mmi_free(r->records);
	*r = (reference){ 0 };
}

const reference_record *reference_find(const reference *r, const char *format, ...)
{
	char name[128];
	va_list ap;

	va_start(ap, format);
	vsnprintf(name, sizeof name, format, ap);
	va_end(ap);
	for (size_t i = 0; i < r->n; i++)
		if (strcmp(r->records[i].name, name) == 0)
			return &r->records[i];
	return NULL;
}
