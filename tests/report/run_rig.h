/* run_rig.h - a run's folder made by hand: settings, metrics, sheets, evaluations. */
#ifndef RUN_RIG_H
#define RUN_RIG_H

#include "mmi_build.h"

#include "../rig/store_rig.h"

#include "draw/picture.h"
#include "eval/report.h"
#include "report/page.h"

#define INI "[run]\nseed = 7\nthreads = 0\n[learner]\nbatch = 16\nlatent_dim = 12\n[m0]\nplugin = <b>.so\n"

static inline void put_file(const char *folder, const char *name, const char *text)
{
	char path[512];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0 && fclose(f) == 0);
}

/* A sheet of one colour with noise in its lower half, so that it does not compress: `width` squared pixels. */
static inline void put_sheet(const char *path, uint32_t width, const uint8_t colour[3])
{
	mm_error e = MM_ERROR_INIT;
	uint32_t x = 1;
	uint8_t *rgb = malloc((size_t)width * width * 3);
	assert_non_null(rgb);
	for (size_t i = 0; i < (size_t)width * width * 3; i++) {
		x = x * 1664525u + 1013904223u;
		rgb[i] = i < (size_t)width * width * 3 / 2 ? colour[i % 3] : (uint8_t)(x >> 24);
	}
	assert_ok(mmi_png_write(path, rgb, width, width, (size_t)width * 3, &e), e);
	free(rgb);
}

static inline void put_metrics(const char *folder, size_t rows)
{
	char path[512];
	snprintf(path, sizeof path, "%s/metrics.csv", folder);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs("iteration,seconds,rollbacks,elbo,u_start,u_end,e_data,e_generated,e_revised,gap,new_one\n", f);
	for (size_t i = 1; i <= rows; i++)
		fprintf(f, "%zu,%.3f,0,%.6g,%.6g,%.6g,,%.6g,%.6g,%.6g,%s\n", i, 0.25 * (double)i, 9000.0 / (double)i,
		        800.0 + (double)(i % 13), 700.0 - (double)(i % 7), -1.0 - 0.001 * (double)i, -2.0, 0.5,
		        i == rows / 2 ? "12345" : "1");
	assert_int_equal(fclose(f), 0);
}

static inline void put_evaluation(const char *folder, const char *name, double value)
{
	char path[512];
	mm_error e = MM_ERROR_INIT;
	mmi_report f = { 0 };
	snprintf(path, sizeof path, "%s/%s", folder, name);
	assert_ok(mmi_report_fact(&f, "split", &e, "test"), e);
	assert_ok(mmi_report_add(&f, "unconditional coherence", "all", "generator", value, &e), e);
	assert_ok(mmi_report_write(&f, path, "eval", &e), e);
	mmi_report_clear(&f);
}

/* FOLDER/NAME with `rows` rows and `sheets` sheets of `width` squared pixels; the path in `run`. */
static inline void put_run(const char *folder, const char *name, size_t rows, size_t sheets, uint32_t width,
                           char run[512])
{
	static const uint8_t magenta[3] = { 255, 0, 255 };
	char path[600];
	snprintf(run, 512, "%s/%s", folder, name);
	assert_int_equal(mkdir(run, 0700), 0);
	snprintf(path, sizeof path, "%s/grids", run);
	assert_int_equal(mkdir(path, 0700), 0);
	put_file(run, "run.ini", INI);
	put_metrics(run, rows);
	for (size_t i = 0; i < sheets; i++) {
		snprintf(path, sizeof path, "%s/grids/samples-%08zu.png", run, 100 * (i + 1));
		put_sheet(path, width, magenta);
	}
}

#endif
