/* complete.c - makes the missing part of a tuple from another: a picture from a caption, the front from the back.
 *
 *	cc complete.c $(pkg-config --cflags --libs mmcore) -o complete
 *	./complete CHECKPOINT GIVEN=FILE-OR-TEXT WANTED=OUT-FILE [PLUGIN-FOLDERS]
 *
 * The checkpoint is read into memory first, as a program would that has it in its own archive. */
#include <mmcore/mmcore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 16 }; /* modalities */

static int fail(const char *what, const mm_error *e)
{
	fprintf(stderr, "%s: %s\n", what, e->message);
	return 1;
}

static void *read_file(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	char *bytes = NULL;
	if (!file)
		return NULL;
	if (fseek(file, 0, SEEK_END) == 0 && ftell(file) > 0) {
		*size = (size_t)ftell(file);
		rewind(file);
		bytes = malloc(*size);
		if (bytes && fread(bytes, 1, *size, file) != *size) {
			free(bytes);
			bytes = NULL;
		}
	}
	fclose(file);
	return bytes;
}

/* "NAME=VALUE": the modality's number and room for one sample; the value, or NULL. */
static const char *part(const mm_model *model, const char *argument, int32_t *m, float **x)
{
	char name[64];
	mm_error e = MM_ERROR_INIT;
	mm_modality_about about = { .struct_size = sizeof about };
	const char *equals = strchr(argument, '=');
	if (!equals)
		return NULL;
	snprintf(name, sizeof name, "%.*s", (int)(equals - argument), argument);
	*m = mm_model_find(model, name);
	if (*m < 0 || mm_model_modality(model, (uint32_t)*m, &about, &e) != MM_OK)
		return NULL;
	*x = calloc(about.floats, sizeof(float));
	return *x ? equals + 1 : NULL;
}

/* A file if there is one of that name, else words. */
static mm_status read_given(mm_model *model, int32_t m, const char *value, float *x, mm_error *e)
{
	FILE *file = fopen(value, "rb");
	if (!file)
		return mm_model_read_text(model, (uint32_t)m, value, x, e);
	fclose(file);
	return mm_model_read_file(model, (uint32_t)m, value, x, e);
}

static int complete(mm_model *model, const char *given_argument, const char *wanted_argument)
{
	mm_error e = MM_ERROR_INIT;
	float *x = NULL, *y = NULL;
	int32_t from = -1, to = -1;
	int failed = 0;
	const char *value = part(model, given_argument, &from, &x), *out = part(model, wanted_argument, &to, &y);
	if (!value || !out) {
		fprintf(stderr, "%s: expected NAME=... with a modality of the model\n",
		        value ? wanted_argument : given_argument);
		failed = 2;
	} else if (read_given(model, from, value, x, &e) != MM_OK) {
		failed = fail(given_argument, &e);
	} else {
		const float *given[MOST] = { NULL };
		float *made[MOST] = { NULL };
		given[from] = x;
		made[to] = y;
		if (mm_model_translate(model, 1, given, NULL, NULL, made, NULL, &e) != MM_OK)
			failed = fail("translating", &e);
		else if (mm_model_render(model, (uint32_t)to, y, out, &e) != MM_OK)
			failed = fail(out, &e);
	}
	free(x);
	free(y);
	return failed;
}

int main(int argc, char **argv)
{
	mm_error e = MM_ERROR_INIT;
	mm_open_options options = MM_OPEN_OPTIONS_INIT;
	mm_model *model;
	size_t size = 0;
	if (argc < 4) {
		fprintf(stderr, "usage: %s CHECKPOINT GIVEN=FILE-OR-TEXT WANTED=OUT-FILE [PLUGIN-FOLDERS]\n", argv[0]);
		return 2;
	}
	void *bytes = read_file(argv[1], &size);
	if (!bytes) {
		fprintf(stderr, "%s: cannot be read\n", argv[1]);
		return 1;
	}
	options.plugin_path = argc > 4 ? argv[4] : NULL;
	mm_status status = mm_model_open_memory(bytes, size, argv[1], &options, &model, &e);
	free(bytes);
	if (status != MM_OK)
		return fail(argv[1], &e);
	int failed = complete(model, argv[2], argv[3]);
	mm_model_close(model);
	return failed;
}
