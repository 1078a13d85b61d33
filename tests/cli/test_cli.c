/* test_cli.c - the option parser, suggestions, messages and the line of progress. */
#include "mmi_build.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cli/cli.h"
#include "cli/watch.h"
#include "plugin/call.h"

#include <time.h>

/* A program whose output goes to memory and whose clock the test moves. */
typedef struct fixture {
	mmi_console console;
	mmi_cli cli;
	char *out, *err;
	size_t out_size, err_size;
} fixture;

static double clock_seconds;

static double test_clock(void)
{
	return clock_seconds;
}

static int setup(void **state)
{
	fixture *f = calloc(1, sizeof *f);

	assert_non_null(f);
	f->console = (mmi_console){ .program = "mmcore", .columns = 80, .level = MM_LOG_INFO, .now = test_clock };
	f->console.out = open_memstream(&f->out, &f->out_size);
	f->console.err = open_memstream(&f->err, &f->err_size);
	f->cli = (mmi_cli){ .program = "mmcore", .console = &f->console, .log = mmi_console_log(&f->console) };
	clock_seconds = 1000;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	fixture *f = *state;

	fclose(f->console.out);
	fclose(f->console.err);
	free(f->out);
	free(f->err);
	free(f);
	return 0;
}

static const char *text_err(fixture *f)
{
	fflush(f->console.err);
	return f->err;
}

static const char *text_out(fixture *f)
{
	fflush(f->console.out);
	return f->out;
}

/* ---------------------------------------------------------------- options */

typedef struct settings {
	bool resume;
	const char *ini;
	int64_t count;
	double rate;
	mmi_strings set, operands;
	int code;
} settings;

#define ARGUMENTS_MAX 12

/* Parses arguments up to NULL with a table of every kind of option. */
static bool parse(fixture *f, settings *s, int with_operands, ...)
{
	char *argv[ARGUMENTS_MAX] = { (char *)(uintptr_t) "try" };
	int argc = 1;
	va_list ap;

	va_start(ap, with_operands);
	for (char *a = va_arg(ap, char *); a; a = va_arg(ap, char *))
		argv[argc++] = a;
	va_end(ap);
	*s = (settings){ .ini = "default.ini", .count = 7, .rate = 0.5, .code = -1 };
	const mmi_option options[] = { MMI_OPTION_FLAG("resume", &s->resume, "go on with the run in the folder"),
		                           MMI_OPTION_STRING("ini", "FILE", &s->ini, "settings of the run"),
		                           MMI_OPTION_INT("count", "N", &s->count, 1, 100, "how many"),
		                           MMI_OPTION_FLOAT("rate", "X", &s->rate, 0, 1, "how fast"),
		                           MMI_OPTION_LIST("set", "SECTION.KEY=VALUE", &s->set, "one setting, over the file's"),
		                           MMI_OPTION_END };
	const mmi_usage usage = { "try", "[options]", "Tries things.", options };
	return mmi_options_parse(&f->cli, &usage, argc, argv, with_operands ? &s->operands : NULL, &s->code);
}

static void release(settings *s)
{
	mmi_strings_clear(&s->set);
	mmi_strings_clear(&s->operands);
}

static void test_options_not_given_stay_untouched(void **state)
{
	settings s;

	assert_true(parse(*state, &s, false, NULL));
	assert_false(s.resume);
	assert_string_equal(s.ini, "default.ini");
	assert_int_equal(s.count, 7);
	assert_int_equal(s.set.n, 0);
	release(&s);
}

static void test_values_come_behind_a_space_or_an_equals_sign(void **state)
{
	settings s;

	assert_true(parse(*state, &s, false, "--ini", "a.ini", "--count=12", "--rate", "0.25", "--resume", NULL));
	assert_string_equal(s.ini, "a.ini");
	assert_int_equal(s.count, 12);
	assert_true(s.rate > 0.2499 && s.rate < 0.2501);
	assert_true(s.resume);
	release(&s);
}

static void test_a_list_keeps_its_order_and_equals_signs(void **state)
{
	settings s;

	assert_true(parse(*state, &s, false, "--set=run.seed=2", "--set", "m0.net=conv", "--set=a.b=c=d", NULL));
	assert_int_equal(s.set.n, 3);
	assert_string_equal(s.set.item[0], "run.seed=2");
	assert_string_equal(s.set.item[1], "m0.net=conv");
	assert_string_equal(s.set.item[2], "a.b=c=d");
	release(&s);
}

static void test_an_empty_value_is_a_value(void **state)
{
	settings s;

	assert_true(parse(*state, &s, false, "--ini=", NULL));
	assert_string_equal(s.ini, "");
	release(&s);
}

static void test_operands_mix_with_options_and_follow_two_dashes(void **state)
{
	settings s;

	assert_true(parse(*state, &s, true, "one", "--resume", "-", "--", "--ini", NULL));
	assert_int_equal(s.operands.n, 3);
	assert_string_equal(s.operands.item[0], "one");
	assert_string_equal(s.operands.item[1], "-");
	assert_string_equal(s.operands.item[2], "--ini");
	assert_string_equal(s.ini, "default.ini");
	release(&s);
}

static void refused(void **state, const char *message, const char *a, const char *b)
{
	fixture *f = *state;
	settings s;

	assert_false(parse(f, &s, false, a, b, NULL));
	assert_int_equal(s.code, MMI_EXIT_USAGE);
	assert_non_null(strstr(text_err(f), message));
	assert_non_null(strstr(text_err(f), "'mmcore try --help'"));
	assert_int_equal(f->out_size, 0);
	release(&s);
}

static void test_unknown_option_names_the_nearest(void **state)
{
	refused(state, "unknown option '--cuont'; did you mean '--count'?", "--cuont=3", NULL);
}

static void test_option_like_no_other_gets_no_guess(void **state)
{
	refused(state, "unknown option '--zzzzzz' (", "--zzzzzz", NULL);
}

static void test_a_prefix_is_not_the_option(void **state)
{
	refused(state, "unknown option '--in'", "--in", "x");
}

static void test_missing_value(void **state)
{
	refused(state, "--ini needs a value: FILE", "--ini", NULL);
}

static void test_flag_with_a_value(void **state)
{
	refused(state, "--resume takes no value, found 'yes'", "--resume=yes", NULL);
}

static void test_number_below_its_range(void **state)
{
	refused(state, "--count: '0' is no whole number from 1 to 100", "--count", "0");
}

static void test_number_with_a_tail(void **state)
{
	refused(state, "--count: '3x' is no whole number", "--count", "3x");
}

static void test_fraction_for_a_whole_number(void **state)
{
	refused(state, "--count: '1.5' is no whole number", "--count", "1.5");
}

static void test_number_beyond_64_bits(void **state)
{
	refused(state, "is no whole number", "--count", "18446744073709551617");
}

static void test_nan_for_a_number(void **state)
{
	refused(state, "--rate: 'nan' is no number from 0 to 1", "--rate", "nan");
}

static void test_operand_where_none_belongs(void **state)
{
	refused(state, "unexpected argument 'x'", "x", NULL);
}

static void test_help_lists_every_option(void **state)
{
	fixture *f = *state;
	settings s;

	assert_false(parse(f, &s, false, "--help", NULL));
	assert_int_equal(s.code, MMI_EXIT_OK);
	const char *names[] = {
		"Usage: mmcore try [options]", "Tries things.", "--resume", "--ini FILE", "--count N", "--rate X",
		"--set SECTION.KEY=VALUE",     "--help"
	};
	for (size_t i = 0; i < MMI_COUNT(names); i++)
		assert_non_null(strstr(text_out(f), names[i]));
	release(&s);
}

/* ---------------------------------------------------------------- suggestions */

static void test_nearest_takes_slips_only(void **state)
{
	static const char *const names[] = { "train", "sample", "info", "plugins" };

	(void)state;
	assert_string_equal(mmi_nearest("trian", names, 4), "train");
	assert_string_equal(mmi_nearest("sampel", names, 4), "sample");
	assert_string_equal(mmi_nearest("plugin", names, 4), "plugins");
	assert_null(mmi_nearest("translate", names, 4));
	assert_null(mmi_nearest("zz", names, 4));
}

static void test_nearest_survives_long_names(void **state)
{
	static const char *const names[] = { "train" };
	char text[1000];

	(void)state;
	memset(text, 't', sizeof text - 1);
	text[sizeof text - 1] = 0;
	assert_null(mmi_nearest(text, names, 1));
}

/* ---------------------------------------------------------------- messages */

static void test_exit_status_follows_the_kind_of_failure(void **state)
{
	fixture *f = *state;
	mm_error e = MM_ERROR_INIT;

	mmi_fail(&e, MM_ECONFIG, "x");
	assert_int_equal(mmi_cli_fail(&f->cli, &e), 2);
	mmi_fail(&e, MM_EIO, "x");
	assert_int_equal(mmi_cli_fail(&f->cli, &e), 1);
	assert_int_equal(mmi_cli_refuse(&f->cli, &e), 2);
	mmi_fail(&e, MM_ENOMEM, "x");
	assert_int_equal(mmi_cli_refuse(&f->cli, &e), 1);
	mmi_fail(&e, MM_ECANCELLED, "x");
	assert_int_equal(mmi_cli_fail(&f->cli, &e), 130);
	assert_int_equal(mmi_cli_refuse(&f->cli, &e), 130);
}

static void test_messages_carry_the_program_and_the_level(void **state)
{
	fixture *f = *state;

	mmi_cli_error(&f->cli, "no file '%s'", "a");
	mmi_logf(&f->cli.log, MM_LOG_WARNING, "odd");
	mmi_logf(&f->cli.log, MM_LOG_INFO, "fine");
	mmi_logf(&f->cli.log, MM_LOG_DEBUG, "never seen");
	assert_string_equal(text_err(f), "mmcore: no file 'a'\nmmcore: warning: odd\nfine\n");
}

static void test_a_message_wipes_the_unfinished_line(void **state)
{
	fixture *f = *state;

	f->console.terminal = true;
	mmi_console_live(&f->console, "12%");
	mmi_console_line(&f->console, MM_LOG_INFO, "saved");
	assert_string_equal(text_err(f), "\r12%\r   \rsaved\n");
}

static void test_a_long_line_is_cut_to_the_terminal(void **state)
{
	fixture *f = *state;

	f->console.terminal = true;
	f->console.columns = 6;
	mmi_console_live(&f->console, "123456789");
	assert_string_equal(text_err(f), "\r12345");
}

static void test_a_shorter_line_covers_the_longer_one(void **state)
{
	fixture *f = *state;

	f->console.terminal = true;
	mmi_console_live(&f->console, "1234");
	mmi_console_live(&f->console, "12");
	assert_string_equal(text_err(f), "\r1234\r12  \b\b");
}

/* ---------------------------------------------------------------- progress */

/* Work at a steady pace: one update a step. */
static void work(mmi_progress *p, uint64_t from, uint64_t to, double seconds_each)
{
	for (uint64_t i = from + 1; i <= to; i++) {
		clock_seconds += seconds_each;
		mmi_progress_update(p, i, NULL);
	}
}

static size_t count_lines(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static void test_progress_without_a_terminal_is_a_line_each_ten_seconds(void **state)
{
	fixture *f = *state;
	mmi_progress p;

	mmi_progress_start(&p, &f->cli, "iteration", 0, 100);
	work(&p, 0, 39, 0.51);
	assert_int_equal(count_lines(text_err(f)), 1);
	work(&p, 39, 40, 0.51);
	assert_int_equal(count_lines(text_err(f)), 2);
	assert_null(strchr(text_err(f), '\r'));
}

/* Asked every second, runs of five minutes: the rate is theirs, not what is left of it after the last one. */
static void test_progress_remembers_work_of_minutes(void **state)
{
	fixture *f = *state;
	mmi_progress p;

	mmi_progress_start(&p, &f->cli, "run", 0, 4);
	for (int second = 1; second <= 700; second++) {
		clock_seconds += 1;
		mmi_progress_update(&p, (uint64_t)(second / 300), NULL);
	}
	double each = p.recent_seconds / p.recent_done;
	assert_true(each > 200 && each < 450);
}

static void test_progress_tells_rate_and_time_left(void **state)
{
	fixture *f = *state;
	mmi_progress p;

	mmi_progress_start(&p, &f->cli, "iteration", 0, 1000);
	work(&p, 0, 100, 0.125);
	assert_non_null(strstr(text_err(f), "iteration 80/1000  8%  8.0/s  1:55 left\n"));
}

static void test_progress_of_slow_work_counts_seconds_a_unit(void **state)
{
	fixture *f = *state;
	mmi_progress p;

	mmi_progress_start(&p, &f->cli, "epoch", 0, 10);
	work(&p, 0, 1, 900);
	assert_non_null(strstr(text_err(f), "epoch 1/10  10%  900.0 s each  2:15:00 left\n"));
}

static void test_progress_of_resumed_work_does_not_count_the_old_steps(void **state)
{
	fixture *f = *state;
	mmi_progress p;

	mmi_progress_start(&p, &f->cli, "iteration", 900, 1000);
	work(&p, 900, 910, 1);
	assert_non_null(strstr(text_err(f), "iteration 910/1000  91%  1.0/s  1:30 left\n"));
}

static void test_progress_follows_a_change_of_pace(void **state)
{
	fixture *f = *state;
	mmi_progress p;

	mmi_progress_start(&p, &f->cli, "iteration", 0, 10000);
	work(&p, 0, 1000, 0.01);
	work(&p, 1000, 1200, 1);
	assert_true(p.recent_seconds > 0);
	assert_true(p.recent_done / p.recent_seconds < 1.1);
}

/* Fast warm-up, then chains at a second each with ten minutes of twenty left: 600 iterations more, not 50 000. */
static void test_progress_of_a_time_budget_tells_what_is_left_of_it(void **state)
{
	fixture *f = *state;
	mmi_progress p;

	mmi_progress_start(&p, &f->cli, "iteration", 49900, 100000);
	p.seconds_left = 640;
	work(&p, 49900, 49960, 1);
	p.seconds_left = 600;
	p.total = 99920; /* half of the budget is used */
	work(&p, 49960, 50000, 1);
	assert_non_null(strstr(text_err(f), "iteration 50000/50600  50%  1.0/s  10:00 left\n"));
}

static void test_progress_on_a_terminal_redraws_one_line(void **state)
{
	fixture *f = *state;
	mmi_progress p;

	f->console.terminal = true;
	mmi_progress_start(&p, &f->cli, "iteration", 0, 100);
	work(&p, 0, 50, 0.1);
	assert_int_equal(count_lines(text_err(f)), 0);
	assert_non_null(strstr(text_err(f), "\riteration 50/100  50%  10.0/s  5.0 s left"));
	mmi_progress_finish(&p);
	assert_int_equal(count_lines(text_err(f)), 2);
	assert_non_null(strstr(text_err(f), "\niteration 50 after 5.0 s\n"));
}

static void test_progress_shows_the_note(void **state)
{
	fixture *f = *state;
	mmi_progress p;

	mmi_progress_start(&p, &f->cli, "iteration", 0, 2);
	clock_seconds += 1;
	assert_false(mmi_progress_update(&p, 1, "gap %.2f", 0.25));
	clock_seconds += 10;
	assert_true(mmi_progress_update(&p, 2, NULL));
	assert_non_null(strstr(text_err(f), "2/2  100%"));
	assert_non_null(strstr(text_err(f), "gap 0.25\n"));
	assert_null(strstr(text_err(f), "left"));
}

/* ---------------------------------------------------------------- Ctrl-C */

static void test_the_first_signal_is_a_wish_the_second_one_kills(void **state)
{
	struct sigaction now;

	(void)state;
	assert_false(mmi_interrupted());
	mmi_interrupt_install();
	raise(SIGINT);
	assert_true(mmi_interrupted());
	assert_int_equal(sigaction(SIGINT, NULL, &now), 0);
	assert_true(now.sa_handler == SIG_DFL);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* ---------------------------------------------------------------- what others wrote, and callbacks that last */

static void control_characters_do_not_reach_the_terminal(void **state)
{
	fixture *f = *state;
	mmi_console_line(&f->console, MM_LOG_ERROR, "a\033[31mb\nmmcore: c\302\233d\177 \303\274");
	assert_string_equal(text_err(f), "mmcore: a?[31mb mmcore: c??d? \303\274\n");
	mmi_console_text(f->console.out, "\033]0;title\a");
	fflush(f->console.out);
	assert_string_equal(f->out, "?]0;title?");
}

static void a_callback_that_lasts_is_named_once(void **state)
{
	fixture *f = *state;
	const mmi_call call = { .section = "m0", .callback = "read of sample 'k\033'" };
	const struct timespec longer = { 1, 0 };
	mmi_watch_start(&f->console, 0.05);
	mmi_watch_end(); /* this program may exit */
	mmi_watch_call(NULL, &call, true);
	nanosleep(&longer, NULL);
	mmi_watch_call(NULL, &call, false);
	const char *found = strstr(text_err(f), "mmcore: [m0] read of sample 'k?' has not come back for 0.05 seconds\n");
	assert_non_null(found);
	assert_null(strstr(strchr(found, '\n'), "has not"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_options_not_given_stay_untouched),
		CASE(test_values_come_behind_a_space_or_an_equals_sign),
		CASE(test_a_list_keeps_its_order_and_equals_signs),
		CASE(test_an_empty_value_is_a_value),
		CASE(test_operands_mix_with_options_and_follow_two_dashes),
		CASE(test_unknown_option_names_the_nearest),
		CASE(test_option_like_no_other_gets_no_guess),
		CASE(test_a_prefix_is_not_the_option),
		CASE(test_missing_value),
		CASE(test_flag_with_a_value),
		CASE(test_number_below_its_range),
		CASE(test_number_with_a_tail),
		CASE(test_fraction_for_a_whole_number),
		CASE(test_number_beyond_64_bits),
		CASE(test_nan_for_a_number),
		CASE(test_operand_where_none_belongs),
		CASE(test_help_lists_every_option),
		CASE(test_nearest_takes_slips_only),
		CASE(test_nearest_survives_long_names),
		CASE(test_exit_status_follows_the_kind_of_failure),
		CASE(test_messages_carry_the_program_and_the_level),
		CASE(test_a_message_wipes_the_unfinished_line),
		CASE(test_a_long_line_is_cut_to_the_terminal),
		CASE(test_a_shorter_line_covers_the_longer_one),
		CASE(test_progress_without_a_terminal_is_a_line_each_ten_seconds),
		CASE(test_progress_remembers_work_of_minutes),
		CASE(test_progress_tells_rate_and_time_left),
		CASE(test_progress_of_slow_work_counts_seconds_a_unit),
		CASE(test_progress_of_resumed_work_does_not_count_the_old_steps),
		CASE(test_progress_follows_a_change_of_pace),
		CASE(test_progress_of_a_time_budget_tells_what_is_left_of_it),
		CASE(test_progress_on_a_terminal_redraws_one_line),
		CASE(test_progress_shows_the_note),
		CASE(control_characters_do_not_reach_the_terminal),
		CASE(a_callback_that_lasts_is_named_once),
		CASE(test_the_first_signal_is_a_wish_the_second_one_kills),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
