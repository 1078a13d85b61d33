/* run_options.h - the options that every command which builds a model understands. */
#ifndef MMI_RUN_OPTIONS_H
#define MMI_RUN_OPTIONS_H

#include "cli/cli.h"
#include "trained/inputs.h"

#define MMI_OPTION_PLUGINS(to) \
	MMI_OPTION_LIST("plugin", "[NAME=]FILE", to, "a modality's plugin; NAME is its section of the INI; repeatable")
#define MMI_OPTION_SETS(to) MMI_OPTION_LIST("set", "SECTION.KEY=VALUE", to, "override a setting; repeatable")
#define MMI_OPTION_MINUTES(to) \
	MMI_OPTION_FLOAT("minutes", "T", to, 0, 1e6, "stop after T minutes of training; rates and warm-up share them out")

#define MMI_OPTION_CHECKPOINT(to) \
	MMI_OPTION_STRING("ckpt", "FILE", to, "the checkpoint, or a run folder: its best one, else its newest")
#define MMI_OPTION_GIVEN(to)             \
	MMI_OPTION_LIST(                     \
		"given", "NAME=FILE[,FILE]", to, \
		"what is known: files, or a text where the plugin reads texts; NAME alone with --test; repeatable")
#define MMI_OPTION_TEST(to) \
	MMI_OPTION_STRING("test", "I[,J]", to, "take these tuples of the test data instead of files")
#define MMI_OPTION_TEST_COUNT(to) \
	MMI_OPTION_INT("test-count", "N", to, 1, 1e9, "take the first N tuples of the test data")
#define MMI_OPTION_Z_STEPS(to) \
	MMI_OPTION_INT("z-steps", "K", to, 0, 1e6, "steps of the posterior chain (default: as trained)")
#define MMI_OPTION_X_STEPS(to) \
	MMI_OPTION_INT("x-steps", "K", to, 0, 1e6, "steps of the energy chain (default: as in the settings)")
#define MMI_OPTION_CANDIDATES(to)                   \
	MMI_OPTION_INT("candidates", "N", to, 1, 65536, \
	               "draws of the latents, one of which is chosen by the joint energy (default: as in the settings)")
#define MMI_OPTION_GUIDE_STEPS(to)                 \
	MMI_OPTION_INT("guide-steps", "K", to, 0, 1e6, \
	               "steps of the chain on z that the joint energy guides (default: as in the settings)")

#define MMI_OPTION_NPY(to)     \
	MMI_OPTION_FLAG("npy", to, \
	                "with --out: NumPy's arrays, one a modality, and the latents, instead of a file a sample")

/* What is wrong with --grid, --npy and --out; NULL: nothing. */
const char *mmi_output_complaint(const char *grid, bool npy, const char *out);

#define MMI_MINUTES_TEXT 96

/* PARENT/NAME, from the INI's name without its folder and suffix; mmi_free, NULL when out of memory. */
char *mmi_default_folder(const char *parent, const char *ini);
/* The same as --set run.minutes=T, unless minutes is negative; `text` (MMI_MINUTES_TEXT bytes) must outlive the list.
 */
mm_status mmi_minutes_set(double minutes, mmi_strings *sets, char *text, mm_error *e);

/* What --given, --test and --test-count (NULL and 0 when absent) say together: files and words, or test tuples of which
 * the named modalities are given. */
mm_status mmi_given_read(const mmi_saved *s, const mmi_strings *given, const char *test, int64_t test_count,
                         const mmi_log *log, mmi_inputs *out, mm_error *e);

#endif
