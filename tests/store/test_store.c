/* test_store.c - whole files, metrics and the run folder. */
#include "mmi_build.h"

#include "store/checkpoint.h"
#include "store/csv.h"
#include "store/files.h"
#include "store/metrics.h"
#include "store/runfolder.h"

#include "../rig/store_rig.h"

#include <math.h>

/* ---------------------------------------------------------------- files */

static void devices_are_not_replaced_and_links_are_followed(void **state)
{
	mm_error e = MM_ERROR_INIT;
	rig *r = *state;
	const char *real = rig_path(r, "real"), *link_path = rig_path(r, "link");
	struct stat st;

	assert_fails(mmi_write_file_atomic("/dev/full", "x", 1, &e), MM_EIO, e, "not a regular file");
	assert_fails(mmi_write_file_atomic(r->folder, "x", 1, &e), MM_EIO, e, "not a regular file");
	rig_write(real, "old", 3);
	assert_int_equal(chmod(real, 0640), 0);
	assert_int_equal(symlink("real", link_path), 0);
	assert_ok(mmi_write_file_atomic(link_path, "new", 3, &e), e);
	assert_file(real, "new");
	assert_int_equal(lstat(link_path, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(stat(real, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	assert_fails(mmi_write_file_atomic(rig_path(r, "none/file"), "x", 1, &e), MM_EIO, e, "No such file");
}

static void abandoned_files_leave_nothing(void **state)
{
	mm_error e = MM_ERROR_INIT;
	rig *r = *state;
	mmi_atomic *f;

	assert_ok(mmi_atomic_open(rig_path(r, "file"), &f, &e), e);
	assert_ok(mmi_atomic_write(f, "abc", 3, &e), e);
	assert_int_equal(rig_entries(r->folder), 1);
	mmi_atomic_abort(f);
	assert_int_equal(rig_entries(r->folder), 0);
}

/* ---------------------------------------------------------------- metrics */

static const char *const columns[] = { "iteration", "loss", "note", "count" };

static mmi_metrics *metrics_with_rows(const char *path, int rows)
{
	mm_error e = MM_ERROR_INIT;
	mmi_metrics *m;

	assert_ok(mmi_metrics_create(path, columns, 4, &m, &e), e);
	for (int i = 1; i <= rows; i++) {
		mmi_metrics_number(m, 1, 1.0 / i);
		mmi_metrics_integer(m, 3, i);
		assert_ok(mmi_metrics_append(m, (uint64_t)(10 * i), &e), e);
	}
	return m;
}

static void rows_are_readable_at_once_and_text_is_quoted(void **state)
{
	mm_error e = MM_ERROR_INIT;
	const char *path = rig_path(*state, "m.csv");
	mmi_metrics *m = metrics_with_rows(path, 3);

	assert_file(path, "iteration,loss,note,count\n10,1,,1\n20,0.5,,2\n30,0.333333333,,3\n");
	mmi_metrics_number(m, 1, -(double)NAN);
	mmi_metrics_text(m, 2, "a \"b\", c\nd");
	mmi_metrics_integer(m, 3, INT64_MIN);
	assert_ok(mmi_metrics_append(m, 40, &e), e);
	mmi_metrics_number(m, 1, -INFINITY);
	assert_ok(mmi_metrics_append(m, 50, &e), e);
	mmi_metrics_close(m);
	assert_file(path, "iteration,loss,note,count\n10,1,,1\n20,0.5,,2\n30,0.333333333,,3\n"
	                  "40,nan,\"a \"\"b\"\", c\nd\",-9223372036854775808\n50,-inf,,\n");
	assert_fails(mmi_metrics_create(path, columns, 4, &m, &e), MM_EIO, e, "File exists");
}

static void resuming_cuts_rows_beyond_the_iteration_and_half_rows(void **state)
{
	mm_error e = MM_ERROR_INIT;
	const char *path = rig_path(*state, "m.csv");
	mmi_metrics *m = metrics_with_rows(path, 3);

	mmi_metrics_text(m, 2, "two\nlines");
	assert_ok(mmi_metrics_append(m, 40, &e), e);
	mmi_metrics_close(m);
	assert_ok(mmi_metrics_resume(path, columns, 4, 40, &m, &e), e);
	mmi_metrics_close(m);
	assert_ok(mmi_metrics_resume(path, columns, 4, 29, &m, &e), e);
	assert_ok(mmi_metrics_append(m, 30, &e), e);
	mmi_metrics_close(m);
	assert_file(path, "iteration,loss,note,count\n10,1,,1\n20,0.5,,2\n30,,,\n");
	assert_int_equal(truncate(path, 41), 0); /* in the middle of row 20 */
	assert_ok(mmi_metrics_resume(path, columns, 4, 100, &m, &e), e);
	mmi_metrics_close(m);
	assert_file(path, "iteration,loss,note,count\n10,1,,1\n");
}

static void resuming_with_other_columns_is_refused(void **state)
{
	static const char *const other[] = { "iteration", "loss", "gap", "count" };
	mm_error e = MM_ERROR_INIT;
	const char *path = rig_path(*state, "m.csv");
	mmi_metrics *m = metrics_with_rows(path, 1);

	mmi_metrics_close(m);
	assert_fails(mmi_metrics_resume(path, other, 4, 5, &m, &e), MM_EFORMAT, e,
	             "column 3 of the header differs: found 'iteration,loss,note,count', expected 'gap'");
	assert_fails(mmi_metrics_resume(path, columns, 3, 5, &m, &e), MM_EFORMAT, e, "expected 'none'");
	assert_file(path, "iteration,loss,note,count\n10,1,,1\n");
	assert_ok(mmi_metrics_resume(rig_path(*state, "fresh.csv"), columns, 4, 5, &m, &e), e);
	mmi_metrics_close(m);
	assert_file(rig_path(*state, "fresh.csv"), "iteration,loss,note,count\n");
}

static void a_row_that_does_not_fit_is_taken_back(void **state)
{
	mm_error e = MM_ERROR_INIT;
	const char *path = rig_path(*state, "m.csv");
	mmi_metrics *m = metrics_with_rows(path, 1);

	rig_limit_files(40);
	mmi_metrics_text(m, 2, "longer than the room that is left");
	mm_status status = mmi_metrics_append(m, 20, &e);
	rig_limit_files(RLIM_INFINITY);
	assert_int_equal(status, MM_EIO);
	assert_non_null(strstr(e.message, "cannot write a row to"));
	assert_file(path, "iteration,loss,note,count\n10,1,,1\n");
	assert_ok(mmi_metrics_append(m, 30, &e), e);
	mmi_metrics_close(m);
	assert_file(path, "iteration,loss,note,count\n10,1,,1\n20,,longer than the room that is left,\n30,,,\n");
}

static void rows_that_do_not_fit_wait_for_room(void **state)
{
	mm_error e = MM_ERROR_INIT;
	const char *path = rig_path(*state, "m.csv");
	mmi_metrics *m = metrics_with_rows(path, 1);

	rig_limit_files(34);
	mm_status first = mmi_metrics_append(m, 20, &e), second = mmi_metrics_append(m, 30, &e);
	rig_limit_files(RLIM_INFINITY);
	assert_int_equal(first, MM_EIO);
	assert_int_equal(second, MM_EIO);
	mmi_metrics_close(m);
	assert_file(path, "iteration,loss,note,count\n10,1,,1\n20,,,\n30,,,\n");
}

static void the_last_row_is_known_to_who_goes_on(void **state)
{
	mm_error e = MM_ERROR_INIT;
	const char *path = rig_path(*state, "m.csv");
	mmi_metrics *m = metrics_with_rows(path, 3);
	char text[16];

	assert_false(mmi_metrics_last(m, 1, text, sizeof text));
	mmi_metrics_close(m);
	assert_ok(mmi_metrics_resume(path, columns, 4, 20, &m, &e), e);
	assert_true(mmi_metrics_last(m, 0, text, sizeof text));
	assert_string_equal(text, "20");
	assert_true(mmi_metrics_last(m, 1, text, sizeof text));
	assert_string_equal(text, "0.5");
	assert_false(mmi_metrics_last(m, 4, text, sizeof text));
	mmi_metrics_close(m);
	assert_ok(mmi_metrics_resume(path, columns, 4, 5, &m, &e), e);
	assert_false(mmi_metrics_last(m, 0, text, sizeof text));
	mmi_metrics_close(m);
}

/* ---------------------------------------------------------------- run folder */

static void a_run_folder_is_made_with_its_parents(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_runfolder *f;
	const char *path = rig_path(*state, "runs/a/b/");

	assert_ok(mmi_runfolder_open(path, false, &f, &e), e);
	assert_int_equal(access(rig_path(*state, "runs/a/b/checkpoints"), W_OK), 0);
	char *grid = mmi_runfolder_grid(f, "samples", 1200);
	assert_string_equal(grid, rig_path(*state, "runs/a/b/grids/samples-00001200.png"));
	mmi_free(grid);
	assert_ok(mmi_runfolder_write_ini(f, "[run]\nseed = 1\n", &e), e);
	assert_file(rig_path(*state, "runs/a/b/run.ini"), "[run]\nseed = 1\n");
	mmi_runfolder_close(f);
}

static void a_run_is_never_overwritten(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_runfolder *f;
	const char *path = rig_path(*state, "run");

	assert_ok(mmi_runfolder_open(path, false, &f, &e), e);
	mmi_runfolder_close(f);
	assert_ok(mmi_runfolder_open(path, false, &f, &e), e); /* nothing had been written yet */
	char *checkpoint = mmi_checkpoint_file(mmi_runfolder_checkpoints(f), 100);
	assert_ok(mmi_checkpoint_save(checkpoint, NULL, 0, NULL, 0, &e), e);
	mmi_free(checkpoint);
	mmi_runfolder_close(f);
	assert_fails(mmi_runfolder_open(path, false, &f, &e), MM_ECONFIG, e, "already holds a run");
	assert_ok(mmi_runfolder_open(path, true, &f, &e), e);
	mmi_runfolder_close(f);
	rig_write(rig_path(*state, "file"), "x", 1);
	assert_fails(mmi_runfolder_open(rig_path(*state, "file/run"), false, &f, &e), MM_EIO, e,
	             "a file of that name is in the way");
}

static void resuming_nothing_is_refused_and_writes_nothing(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_runfolder *f;
	rig *r = *state;

	assert_fails(mmi_runfolder_open(rig_path(r, "run"), true, &f, &e), MM_ECONFIG, e, "nothing to resume");
	assert_int_equal(rig_entries(r->folder), 0);
}

static void two_runs_cannot_share_a_folder(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_runfolder *f, *g;
	char expected[64];
	const char *path = rig_path(*state, "run");

	assert_ok(mmi_runfolder_open(path, false, &f, &e), e);
	snprintf(expected, sizeof expected, "is in use: process %ld trains into it", (long)getpid());
	assert_fails(mmi_runfolder_open(path, false, &g, &e), MM_ECONFIG, e, expected);
	mmi_runfolder_close(f);
	assert_ok(mmi_runfolder_open(path, false, &g, &e), e);
	mmi_runfolder_close(g);
}

static void a_lock_that_is_a_link_is_not_written_to(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_runfolder *f;
	const char *mine = rig_path(*state, "mine"), *lock = rig_path(*state, "run/.lock");

	assert_int_equal(mkdir(rig_path(*state, "run"), 0777), 0);
	for (int hard = 0; hard < 2; hard++) {
		rig_write(mine, "precious", 8);
		assert_int_equal(hard ? link(mine, lock) : symlink(mine, lock), 0);
		assert_fails(mmi_runfolder_open(rig_path(*state, "run"), false, &f, &e), MM_EIO, e,
		             "run/.lock is a link or no regular file");
		assert_file(mine, "precious");
		assert_int_equal(unlink(lock), 0);
	}
	assert_int_equal(symlink("nothing-yet", lock), 0);
	assert_fails(mmi_runfolder_open(rig_path(*state, "run"), false, &f, &e), MM_EIO, e, "is a link");
	assert_int_equal(access(rig_path(*state, "run/nothing-yet"), F_OK), -1);
}

static void tables_in_utf_16_are_told_by_name(void **state)
{
	static const char *const wide[] = { ("\xFF\xFE"
		                                 "a\0,\0b\0\n\0"),
		                                "\xFE\xFF\0a\0,\0b\0\n", "a\0,\0b\0\n\0\0" };
	mm_error e = MM_ERROR_INIT;
	mmi_csv c;

	for (size_t i = 0; i < MMI_COUNT(wide); i++) {
		rig_write(rig_path(*state, "t.csv"), wide[i], i < 2 ? 10 : 8);
		assert_fails(mmi_csv_read(rig_path(*state, "t.csv"), &c, &e), MM_EFORMAT, e,
		             "the text is UTF-16, expected UTF-8");
	}
	rig_write(rig_path(*state, "t.csv"),
	          "\xEF\xBB\xBF"
	          "a,b\r\n1,2\r\n",
	          13);
	assert_ok(mmi_csv_read(rig_path(*state, "t.csv"), &c, &e), e);
	assert_int_equal(mmi_csv_find(&c, "a"), 0);
	mmi_csv_clear(&c);
}

static void settings_and_the_best_checkpoint_are_not_written_through_a_link(void **state)
{
	static const char *const own[] = { "run/run.ini", "run/best.safetensors" };

	rig_write(rig_path(*state, "mine"), "precious", 8);
	assert_int_equal(mkdir(rig_path(*state, "run"), 0777), 0);
	for (size_t i = 0; i < MMI_COUNT(own); i++) {
		mm_error e = MM_ERROR_INIT;
		mmi_runfolder *f = NULL;
		bool resume = i == 0; /* settings make a run of it */
		assert_int_equal(symlink("../mine", rig_path(*state, own[i])), 0);
		assert_fails(mmi_runfolder_open(rig_path(*state, "run"), resume, &f, &e), MM_EIO, e,
		             "is a link or no regular file");
		assert_file(rig_path(*state, "mine"), "precious");
		assert_int_equal(unlink(rig_path(*state, own[i])), 0);
	}
}

static void metrics_are_not_appended_through_a_link(void **state)
{
	static const char *const only[] = { "iteration" };
	mm_error e = MM_ERROR_INIT;
	mmi_metrics *m;
	rig_write(rig_path(*state, "mine"), "iteration\n", 10);
	assert_int_equal(symlink(rig_path(*state, "mine"), rig_path(*state, "m.csv")), 0);
	assert_int_equal(mmi_metrics_resume(rig_path(*state, "m.csv"), only, 1, 0, &m, &e), MM_EIO);
}

static void earlier_settings_are_kept_on_resume(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_runfolder *f;

	assert_ok(mmi_runfolder_open(rig_path(*state, "run"), false, &f, &e), e);
	assert_ok(mmi_runfolder_write_ini(f, "a", &e), e);
	assert_ok(mmi_runfolder_write_ini(f, "a", &e), e);
	assert_int_equal(access(rig_path(*state, "run/run-1.ini"), F_OK), -1);
	assert_ok(mmi_runfolder_write_ini(f, "b", &e), e);
	assert_ok(mmi_runfolder_write_ini(f, "c", &e), e);
	assert_file(rig_path(*state, "run/run-1.ini"), "a");
	assert_file(rig_path(*state, "run/run-2.ini"), "b");
	assert_file(rig_path(*state, "run/run.ini"), "c");
	mmi_runfolder_close(f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(devices_are_not_replaced_and_links_are_followed),
		TEST(abandoned_files_leave_nothing),
		TEST(rows_are_readable_at_once_and_text_is_quoted),
		TEST(resuming_cuts_rows_beyond_the_iteration_and_half_rows),
		TEST(resuming_with_other_columns_is_refused),
		TEST(a_row_that_does_not_fit_is_taken_back),
		TEST(rows_that_do_not_fit_wait_for_room),
		TEST(the_last_row_is_known_to_who_goes_on),
		TEST(a_run_folder_is_made_with_its_parents),
		TEST(a_run_is_never_overwritten),
		TEST(resuming_nothing_is_refused_and_writes_nothing),
		TEST(two_runs_cannot_share_a_folder),
		TEST(a_lock_that_is_a_link_is_not_written_to),
		TEST(settings_and_the_best_checkpoint_are_not_written_through_a_link),
		TEST(metrics_are_not_appended_through_a_link),
		TEST(tables_in_utf_16_are_told_by_name),
		TEST(earlier_settings_are_kept_on_resume),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
