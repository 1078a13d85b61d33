/* test_sweep.c - grids of settings, CSV files, and the figures of a run. */
#include "mmi_build.h"

#include "../rig/store_rig.h"

#include <math.h>

#include "ablate/figures.h"
#include "ablate/sweep.h"
#include "store/csv.h"

/* ---------------------------------------------------------------- sweeps */

static void commas_within_brackets_belong_to_the_value(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_sweep s;
	(void)state;
	assert_ok(mmi_sweep_parse("learner.x_step=auto(0.02), f(1,g(2,3)) ,0.1", &s, &e), e);
	assert_string_equal(s.key, "learner.x_step");
	assert_int_equal(s.n, 3);
	assert_string_equal(s.value[0], "auto(0.02)");
	assert_string_equal(s.value[1], "f(1,g(2,3))");
	assert_string_equal(s.value[2], "0.1");
	mmi_sweep_clear(&s);
}

static void one_value_may_hold_an_equals_sign(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_sweep s;
	(void)state;
	assert_ok(mmi_sweep_parse("m0.background=a=b.png", &s, &e), e);
	assert_int_equal(s.n, 1);
	assert_string_equal(s.value[0], "a=b.png");
	mmi_sweep_clear(&s);
}

static void malformed_sweeps_are_refused(void **state)
{
	static const char *const cases[][2] = {
		{ "learner.x_steps", "expected SECTION.KEY=" },
		{ "x_steps=1,2", "expected SECTION.KEY=" },
		{ ".x=1", "expected SECTION.KEY=" },
		{ "learner.=1", "expected SECTION.KEY=" },
		{ "x=a.b", "expected SECTION.KEY=" },
		{ "a.b=", "a value is empty" },
		{ "a.b=1,,2", "a value is empty" },
		{ "a.b=1, ", "a value is empty" },
		{ "a.b=f(1,2", "brackets do not match" },
		{ "a.b=1),2", "brackets do not match" },
		{ "a.b=1,2, 1", "a value occurs twice" },
	};
	(void)state;
	for (size_t i = 0; i < MMI_COUNT(cases); i++) {
		mm_error e = MM_ERROR_INIT;
		mmi_sweep s;
		assert_fails(mmi_sweep_parse(cases[i][0], &s, &e), MM_ECONFIG, e, cases[i][1]);
	}
}

static void a_grid_has_every_combination_the_last_sweep_fastest(void **state)
{
	mm_error e = MM_ERROR_INIT;
	static const char *const expected[] = { "a.x=0,b.y=auto-0.5,run.seed=7", "a.x=0,b.y=auto-0.5,run.seed=8",
		                                    "a.x=0,b.y=-p-q,run.seed=7",     "a.x=0,b.y=-p-q,run.seed=8",
		                                    "a.x=1,b.y=auto-0.5,run.seed=7", "a.x=1,b.y=auto-0.5,run.seed=8",
		                                    "a.x=1,b.y=-p-q,run.seed=7",     "a.x=1,b.y=-p-q,run.seed=8" };
	mmi_sweep s[3];
	mmi_points p;
	(void)state;
	assert_ok(mmi_sweep_parse("a.x=0,1", &s[0], &e), e);
	assert_ok(mmi_sweep_parse("b.y=auto(0.5),/p q", &s[1], &e), e);
	assert_ok(mmi_sweep_count("run.seed", 7, 2, &s[2], &e), e);
	assert_ok(mmi_points_create(s, 3, &p, &e), e);
	assert_int_equal(p.n, MMI_COUNT(expected));
	for (size_t i = 0; i < p.n; i++)
		assert_string_equal(p.item[i].name, expected[i]);
	assert_string_equal(p.item[6].set[0], "a.x=1");
	assert_string_equal(p.item[6].set[1], "b.y=/p q");
	assert_string_equal(p.item[6].set[2], "run.seed=7");
	mmi_points_clear(&p);
	for (size_t i = 0; i < 3; i++)
		mmi_sweep_clear(&s[i]);
}

static void long_names_stay_apart(void **state)
{
	mm_error e = MM_ERROR_INIT;
	char text[700];
	mmi_sweep s;
	mmi_points p;
	(void)state;
	snprintf(text, sizeof text, "a.b=%0300d1,%0300d2", 0, 0);
	assert_ok(mmi_sweep_parse(text, &s, &e), e);
	assert_ok(mmi_points_create(&s, 1, &p, &e), e);
	assert_true(strlen(p.item[0].name) <= 200);
	assert_string_not_equal(p.item[0].name, p.item[1].name);
	mmi_points_clear(&p);
	mmi_sweep_clear(&s);
}

static void grids_that_cannot_be_folders_are_refused(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_sweep s[3];
	mmi_points p;
	(void)state;
	assert_ok(mmi_sweep_parse("a.b=x y,x/y", &s[0], &e), e);
	assert_fails(mmi_points_create(s, 1, &p, &e), MM_ECONFIG, e, "a.b=x-y");
	assert_ok(mmi_sweep_parse("A.b=1", &s[1], &e), e);
	assert_fails(mmi_points_create(s, 2, &p, &e), MM_ECONFIG, e, "given twice");
	assert_ok(mmi_sweep_count("c.d", 0, 10001, &s[2], &e), e);
	assert_fails(mmi_points_create(s + 1, 2, &p, &e), MM_ECONFIG, e, "more than 10000 runs");
	for (size_t i = 0; i < 3; i++)
		mmi_sweep_clear(&s[i]);
}

/* ---------------------------------------------------------------- CSV */

static void cells_come_back_as_they_were_written(void **state)
{
	mm_error e = MM_ERROR_INIT;
	static const char *const cells[] = { "plain", "", "a,b", "say \"no\"", "two\nlines", "\"", " x " };
	mmi_csv c;
	const char *path = rig_path(*state, "t.csv");
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	for (size_t row = 0; row < 2; row++) {
		for (size_t i = 0; i < MMI_COUNT(cells); i++)
			mmi_csv_put(f, i == 0, cells[i]);
		fputc('\n', f);
	}
	assert_int_equal(fclose(f), 0);
	assert_ok(mmi_csv_read(path, &c, &e), e);
	assert_int_equal(c.rows, 2);
	assert_int_equal(c.columns, MMI_COUNT(cells));
	for (size_t i = 0; i < c.rows * c.columns; i++)
		assert_string_equal(mmi_csv_cell(&c, i / c.columns, i % c.columns), cells[i % c.columns]);
	assert_int_equal(mmi_csv_find(&c, "a,b"), 2);
	assert_true(mmi_csv_find(&c, "none") == MMI_CSV_NONE);
	mmi_csv_clear(&c);
}

static void files_of_other_programs_are_read(void **state)
{
	mm_error e = MM_ERROR_INIT;
	static const char text[] = "\xEF\xBB\xBFm0,m1\r\n\r\n\"a\"\"b\",c\r\n\n,last";
	mmi_csv c;
	const char *path = rig_path(*state, "t.csv");
	rig_write(path, text, sizeof text - 1);
	assert_ok(mmi_csv_read(path, &c, &e), e);
	assert_int_equal(c.rows, 3);
	assert_string_equal(mmi_csv_cell(&c, 0, 0), "m0");
	assert_string_equal(mmi_csv_cell(&c, 0, 1), "m1");
	assert_string_equal(mmi_csv_cell(&c, 1, 0), "a\"b");
	assert_string_equal(mmi_csv_cell(&c, 1, 1), "c");
	assert_string_equal(mmi_csv_cell(&c, 2, 0), "");
	assert_string_equal(mmi_csv_cell(&c, 2, 1), "last");
	mmi_csv_clear(&c);
}

static void broken_files_are_refused_with_their_line(void **state)
{
	static const struct {
		const char *text;
		size_t bytes;
		const char *part;
	} cases[] = {
		{ "", 0, "empty" },
		{ "\n\n", 2, "empty" },
		{ "a,b\n1,2\n3\n", 10, "t.csv:3: 1 cells, expected 2" },
		{ "a,b\n1,2,3\n", 10, "t.csv:2: 3 cells, expected 2" },
		{ "a\n\"b\nc\n", 7, "t.csv:2: a quote is opened" },
		{ "a\n\"b\"c\n", 7, "t.csv:2: 'c" },
		{ "a\nb\0c\n", 6, "byte 0" },
	};
	for (size_t i = 0; i < MMI_COUNT(cases); i++) {
		mm_error e = MM_ERROR_INIT;
		mmi_csv c;
		const char *path = rig_path(*state, "t.csv");
		rig_write(path, cases[i].text, cases[i].bytes);
		assert_fails(mmi_csv_read(path, &c, &e), MM_EFORMAT, e, cases[i].part);
	}
}

/* ---------------------------------------------------------------- figures */

static void assert_figure(const mmi_figures *f, const char *name, double expected)
{
	double found = mmi_figures_get(f, name);
	if (!(fabs(found - expected) < 1e-12))
		fail_msg("%s is %.17g, expected %.17g", name, found, expected);
}

static void figures_are_means_over_the_end_of_a_run(void **state)
{
	mm_error e = MM_ERROR_INIT;
	static const char metrics[] = "iteration,seconds,elbo,gap,u\n1,0.5,9,,\n10,1,8,,\n20,2,,4,\n30,3,,1,7\n40,4,,2,\n";
	mmi_figures f, back;
	rig_write(rig_path(*state, "metrics.csv"), metrics, sizeof metrics - 1);
	assert_ok(mmi_figures_of_run(((rig *)*state)->folder, 0.5, &f, &e), e);
	assert_figure(&f, "iterations", 40);
	assert_figure(&f, "seconds", 4);
	assert_figure(&f, "window", 0.5);
	assert_figure(&f, "gap", 1.5); /* rows 30 and 40 */
	assert_figure(&f, "gap_sd", sqrt(0.5));
	assert_figure(&f, "u", 7);
	assert_true(isnan(mmi_figures_get(&f, "u_sd")));
	assert_true(isnan(mmi_figures_get(&f, "elbo")));
	assert_ok(mmi_figures_write(&f, rig_path(*state, "figures.csv"), &e), e);
	assert_ok(mmi_figures_read(rig_path(*state, "figures.csv"), &back, &e), e);
	assert_int_equal(back.n, f.n);
	for (size_t i = 0; i < f.n; i++) {
		assert_string_equal(back.item[i].name, f.item[i].name);
		assert_true(!memcmp(&back.item[i].value, &f.item[i].value, sizeof(double)));
	}
	mmi_figures_clear(&back);
	mmi_figures_clear(&f);
	assert_ok(mmi_figures_of_run(((rig *)*state)->folder, 1, &f, &e), e);
	assert_figure(&f, "gap", 7.0 / 3);
	assert_figure(&f, "elbo", 8.5);
	mmi_figures_clear(&f);
}

static void a_run_without_rows_has_no_figures(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_figures f;
	rig_write(rig_path(*state, "metrics.csv"), "iteration,seconds\n", 18);
	assert_fails(mmi_figures_of_run(((rig *)*state)->folder, 0.5, &f, &e), MM_EFORMAT, e, "no rows");
	rig_write(rig_path(*state, "metrics.csv"), "a,b\n1,2\n", 8);
	assert_fails(mmi_figures_of_run(((rig *)*state)->folder, 0.5, &f, &e), MM_EFORMAT, e, "no column iteration");
	assert_fails(mmi_figures_read(rig_path(*state, "metrics.csv"), &f, &e), MM_EFORMAT, e, "name and value");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commas_within_brackets_belong_to_the_value),
		cmocka_unit_test(one_value_may_hold_an_equals_sign),
		cmocka_unit_test(malformed_sweeps_are_refused),
		cmocka_unit_test(a_grid_has_every_combination_the_last_sweep_fastest),
		cmocka_unit_test(long_names_stay_apart),
		cmocka_unit_test(grids_that_cannot_be_folders_are_refused),
		cmocka_unit_test_setup_teardown(cells_come_back_as_they_were_written, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(files_of_other_programs_are_read, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(broken_files_are_refused_with_their_line, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(figures_are_means_over_the_end_of_a_run, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(a_run_without_rows_has_no_figures, rig_setup, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
