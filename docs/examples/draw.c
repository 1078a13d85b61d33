/* draw.c - draws tuples from a trained model and saves them, with how well their parts fit.
 *
 *	cc draw.c $(pkg-config --cflags --libs mmcore) -o draw
 *	./draw RUN-OR-CHECKPOINT COUNT FOLDER [PLUGIN-FOLDERS] */
#include <mmcore/mmcore.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST = 16 }; /* modalities */

static int fail(const char *what, const mm_error *e)
{
	fprintf(stderr, "%s: %s\n", what, e->message);
	return 1;
}

/* Progress goes to standard error; anything but 0 would stop the call. */
static int32_t show(void *ctx, uint64_t done, uint64_t total)
{
	(void)ctx;
	fprintf(stderr, "%llu of %llu samples\n", (unsigned long long)done, (unsigned long long)total);
	return 0;
}

static int save(mm_model *model, uint32_t n, float *const *x, const float *energy, const char *folder)
{
	mm_error e = MM_ERROR_INIT;
	char path[4096];
	for (uint32_t m = 0; m < MOST && x[m]; m++) {
		mm_modality_about about = { .struct_size = sizeof about };
		mm_model_modality(model, m, &about, &e);
		for (uint32_t i = 0; i < n; i++) {
			snprintf(path, sizeof path, "%s/%s-%05u%s", folder, about.name, i, about.file_suffix);
			if (mm_model_render(model, m, x[m] + i * about.floats, path, &e) != MM_OK)
				return fail(path, &e);
		}
	}
	for (uint32_t i = 0; energy && i < n; i++)
		printf("%05u  energy %.7g\n", i, (double)energy[i]);
	return 0;
}

static int draw(mm_model *model, uint32_t n, const char *folder)
{
	mm_error e = MM_ERROR_INIT;
	mm_model_about about = { .struct_size = sizeof about };
	mm_options how = MM_OPTIONS_INIT;
	float *x[MOST] = { NULL }, *energy = NULL;
	int failed = 0;
	how.progress = show;
	mm_model_describe(model, &about, &e);
	for (uint32_t m = 0; m < about.n_modalities; m++) {
		mm_modality_about a = { .struct_size = sizeof a };
		mm_model_modality(model, m, &a, &e);
		x[m] = malloc(n * a.floats * sizeof(float));
		failed = failed || !x[m];
	}
	if (about.has_energy)
		energy = malloc(n * sizeof *energy);
	if (failed || (about.has_energy && !energy))
		failed = fprintf(stderr, "out of memory\n") != 0;
	else if (mm_model_sample(model, n, &how, x, NULL, &e) != MM_OK)
		failed = fail("drawing", &e);
	else if (energy && mm_model_score(model, n, (const float *const *)x, NULL, energy, &e) != MM_OK)
		failed = fail("scoring", &e);
	else
		failed = save(model, n, x, energy, folder);
	for (uint32_t m = 0; m < about.n_modalities; m++)
		free(x[m]);
	free(energy);
	return failed;
}

int main(int argc, char **argv)
{
	mm_error e = MM_ERROR_INIT;
	mm_open_options options = MM_OPEN_OPTIONS_INIT;
	mm_model *model;
	if (argc < 4 || atoi(argv[2]) < 1) {
		fprintf(stderr, "usage: %s RUN-OR-CHECKPOINT COUNT FOLDER [PLUGIN-FOLDERS]\n", argv[0]);
		return 2;
	}
	options.plugin_path = argc > 4 ? argv[4] : NULL;
	if (mm_model_open(argv[1], &options, &model, &e) != MM_OK)
		return fail(argv[1], &e);
	int failed = draw(model, (uint32_t)atoi(argv[2]), argv[3]);
	mm_model_close(model);
	return failed;
}
