/* test_page.c - a page says what runs are, holds all it shows, and trusts nothing that others wrote. */
#include "run_rig.h"

#include <math.h>

#include "report/chart.h"
#include "report/html.h"
#include "store/files.h"

static char *made(void (*write)(FILE *out, const void *what), const void *what)
{
	char *text = NULL;
	size_t bytes = 0;
	FILE *out = open_memstream(&text, &bytes);
	assert_non_null(out);
	write(out, what);
	assert_int_equal(fclose(out), 0);
	char *copy = strdup(text);
	free(text);
	assert_non_null(copy);
	return copy;
}

static char *read_page(const char *path, size_t *bytes)
{
	mm_error e = MM_ERROR_INIT;
	char *text;
	assert_ok(mmi_read_file(path, 64u << 20, &text, bytes, &e), e);
	return text;
}

static size_t count(const char *text, const char *what)
{
	size_t n = 0;
	for (const char *at = text; (at = strstr(at, what)); at += strlen(what))
		n++;
	return n;
}

/* ---------------------------------------------------------------- text and bytes */

static void write_base64(FILE *out, const void *what)
{
	mmi_html_base64(out, what, strlen(what));
}

static void base64_is_that_of_the_standard(void **state)
{
	static const char *const pairs[][2] = { { "", "" },
		                                    { "f", "Zg==" },
		                                    { "fo", "Zm8=" },
		                                    { "foo", "Zm9v" },
		                                    { "foob", "Zm9vYg==" },
		                                    { "fooba", "Zm9vYmE=" },
		                                    { "foobar", "Zm9vYmFy" } }; /* RFC 4648, section 10 */
	(void)state;
	for (size_t i = 0; i < MMI_COUNT(pairs); i++) {
		char *text = made(write_base64, pairs[i][0]);
		assert_string_equal(text, pairs[i][1]);
		free(text);
	}
}

static void write_text(FILE *out, const void *what)
{
	mmi_html_text(out, what);
}

static void text_of_others_stays_text(void **state)
{
	(void)state;
	char *text = made(write_text, "<img src='x' onerror=\"a&b\">\x01");
	assert_string_equal(text, "&lt;img src=&#39;x&#39; onerror=&quot;a&amp;b&quot;&gt;?");
	free(text);
}

/* ---------------------------------------------------------------- charts */

typedef struct lines {
	const mmi_chart_line *line;
	size_t n;
} lines;

static void write_chart(FILE *out, const void *what)
{
	const lines *l = what;
	mmi_chart_write(out, "a title", l->line, l->n);
}

enum { MANY = 10000 };
static double many_x[MANY], many_y[MANY];

static char *chart_of(double (*value)(int i), size_t n)
{
	for (int i = 0; i < MANY; i++) {
		many_x[i] = i;
		many_y[i] = value(i);
	}
	const mmi_chart_line line = { "a", many_x, many_y, n, 0, 0 };
	return made(write_chart, &(lines){ &line, 1 });
}

static double spike(int i)
{
	return i == 5003 ? 77.25 : i % 2 ? 1 : -1;
}

static void a_spike_among_many_points_is_shown(void **state)
{
	(void)state;
	char *text = chart_of(spike, MANY);
	assert_non_null(strstr(text, " 77.25"));
	char points[64 * MMI_CHART_POINTS]; /* the text between points=" and the next quote */
	assert_int_equal(sscanf(strstr(text, "points="), "points=\"%23039[^\"]", points), 1);
	assert_in_range(count(points, ","), MMI_CHART_POINTS / 2, MMI_CHART_POINTS);
	free(text);
}

static double nothing(int i)
{
	(void)i;
	return NAN;
}

static void a_chart_without_values_is_left_out(void **state)
{
	(void)state;
	char *text = chart_of(nothing, MANY);
	assert_string_equal(text, "");
	free(text);
}

static double decades(int i)
{
	return pow(10, i - 3);
}

/* Five values from 1e-3 to 10 on an axis of 10 to 194 pixels: equal steps of 46. */
static void a_wide_range_is_logarithmic_and_says_so(void **state)
{
	(void)state;
	char *text = chart_of(decades, 5);
	assert_non_null(strstr(text, "(logarithmic)"));
	assert_non_null(strstr(text, "points=\"70.0,194.0 159.5,148.0 249.0,102.0 338.5,56.0 428.0,10.0\""));
	free(text);
}

static double constant(int i)
{
	(void)i;
	return -3;
}

static void one_value_and_one_point_are_drawn(void **state)
{
	(void)state;
	char *text = chart_of(constant, 1);
	assert_non_null(strstr(text, "points=\"70.0,102.0 72.0,102.0\""));
	assert_null(strstr(text, "nan"));
	free(text);
}

/* ---------------------------------------------------------------- pages */

static void a_page_has_all_parts_of_a_run(void **state)
{
	rig *r = *state;
	char run[512], path[600];
	size_t bytes;
	put_run(r->folder, "first", 50, 2, 16, run);
	put_evaluation(run, "eval1", 0.25);
	put_evaluation(run, "eval2", 0.75);
	mmi_page_of_run(run, NULL);
	snprintf(path, sizeof path, "%s/report.html", run);
	char *text = read_page(path, &bytes);
	static const char *const parts[] = {
		"<title>mmcore: first</title>",
		"<tr><th>iterations</th><td>50</td></tr>",
		"<tr><th>training time</th><td>12.5 s</td></tr>",
		"<td>0.5 <small>&plusmn; 0.35 (2)</small></td>", /* mean and deviation of both evaluations */
		"U along the posterior chain",
		"<figcaption>new_one", /* a column that nobody listed has its chart too */
		"grids/samples-00000100.png</figcaption><img",
		"grids/samples-00000200.png</figcaption><img",
		"<tr><th>learner.batch</th><td>16</td>",
		"<tr><th>m0.plugin</th><td>&lt;b&gt;.so</td>",
	};
	for (size_t i = 0; i < MMI_COUNT(parts); i++)
		if (!strstr(text, parts[i]))
			fail_msg("the page lacks %s", parts[i]);
	assert_null(strstr(text, "run.threads")); /* as by default */
	assert_null(strstr(text, "src=\"http"));
	assert_null(strstr(text, "href=\"http"));
	mmi_free(text);
}

static void pages_of_long_runs_stay_small_and_keep_the_last_sheet(void **state)
{
	rig *r = *state;
	char run[512], path[600];
	size_t bytes;
	put_run(r->folder, "long", 7000, 14, 384, run); /* some 220 KiB a sheet */
	mmi_page_of_run(run, NULL);
	snprintf(path, sizeof path, "%s/report.html", run);
	char *text = read_page(path, &bytes);
	assert_in_range(bytes, 500000, 3000000);
	assert_non_null(strstr(text, "samples-00000100.png"));
	assert_non_null(strstr(text, "samples-00001400.png"));
	assert_non_null(strstr(text, " of 14 pictures; the others are in the run's folder"));
	assert_non_null(strstr(text, " 12345 ")); /* the spike */
	mmi_free(text);
}

static void several_runs_stand_side_by_side(void **state)
{
	rig *r = *state;
	char a[512], b[512], path[600];
	size_t bytes;
	mm_error e = MM_ERROR_INIT;
	put_run(r->folder, "a", 10, 1, 16, a);
	put_run(r->folder, "b", 20, 1, 16, b);
	put_file(b, "run.ini", "[run]\nseed = 8\n[learner]\nbatch = 16\nlatent_dim = 12\n");
	put_evaluation(b, "eval", 0.5);
	snprintf(path, sizeof path, "%s/both.html", r->folder);
	const char *const runs[] = { a, b };
	assert_ok(mmi_page_write(runs, 2, path, NULL, &e), e);
	char *text = read_page(path, &bytes);
	assert_non_null(strstr(text, "<tr><th>iterations</th><td>10</td><td>20</td></tr>"));
	assert_non_null(strstr(text, "<tr><th>run.seed</th><td>7</td><td>8</td><td>1</td></tr>"));
	assert_int_equal(count(text, "<th>learner.batch</th>"), 1);
	assert_non_null(strstr(text, "<td></td><td>0.5</td>")); /* the run without an evaluation has an empty cell */
	assert_non_null(strstr(text, "data-name=\"b, u_end\""));
	mmi_free(text);
}

static void what_is_no_run_is_refused_and_nothing_written(void **state)
{
	rig *r = *state;
	char run[512], path[600];
	mm_error e = MM_ERROR_INIT;
	const char *folder = r->folder, *missing = "/nonexistent/run";
	snprintf(path, sizeof path, "%s/page.html", r->folder);
	assert_fails(mmi_page_write(&folder, 1, path, NULL, &e), MM_ECONFIG, e, "is no run");
	assert_fails(mmi_page_write(&missing, 1, path, NULL, &e), MM_ECONFIG, e, "is no run");
	put_run(r->folder, "broken", 3, 0, 0, run);
	put_file(run, "metrics.csv", "iteration,elbo\n1,2,3\n");
	const char *broken = run;
	assert_int_not_equal(mmi_page_write(&broken, 1, path, NULL, &e), MM_OK);
	assert_int_equal(access(path, F_OK), -1);
}

static void count_line(void *ctx, int level, const char *text)
{
	assert_int_equal(level, MM_LOG_WARNING);
	assert_non_null(strstr(text, "the page does without"));
	++*(int *)ctx;
}

static void an_evaluation_that_cannot_be_read_is_left_out(void **state)
{
	rig *r = *state;
	char run[512], path[600];
	int told = 0;
	const mmi_log log = { .line = count_line, .ctx = &told };
	put_run(r->folder, "run", 3, 0, 0, run);
	put_file(run, "eval.json", "{ \"figures\": [");
	mmi_page_of_run(run, &log);
	assert_int_equal(told, 1);
	snprintf(path, sizeof path, "%s/report.html", run);
	assert_int_equal(access(path, F_OK), 0);
}

static void the_run_around_a_folder_gets_its_page(void **state)
{
	rig *r = *state;
	char run[512], path[600];
	put_run(r->folder, "run", 3, 0, 0, run);
	snprintf(path, sizeof path, "%s/grids", run);
	mmi_page_around(path, NULL);
	snprintf(path, sizeof path, "%s/report.html", run);
	assert_int_equal(access(path, F_OK), 0);
	mmi_page_around(r->folder, NULL); /* neither a run nor in one */
	snprintf(path, sizeof path, "%s/report.html", r->folder);
	assert_int_equal(access(path, F_OK), -1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(base64_is_that_of_the_standard),
		TEST(text_of_others_stays_text),
		TEST(a_spike_among_many_points_is_shown),
		TEST(a_chart_without_values_is_left_out),
		TEST(a_wide_range_is_logarithmic_and_says_so),
		TEST(one_value_and_one_point_are_drawn),
		TEST(a_page_has_all_parts_of_a_run),
		TEST(pages_of_long_runs_stay_small_and_keep_the_last_sheet),
		TEST(several_runs_stand_side_by_side),
		TEST(what_is_no_run_is_refused_and_nothing_written),
		TEST(an_evaluation_that_cannot_be_read_is_left_out),
		TEST(the_run_around_a_folder_gets_its_page),
	};
	return cmocka_run_group_tests_name("page", tests, NULL, NULL);
}
