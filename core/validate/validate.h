/* validate.h - a plugin put to the test: every rule of docs/ABI.md that can be seen from outside, each test in a
 * process of its own with a time limit, by the checks of plugin/contract.h that a run makes too. */
#ifndef MMI_VALIDATE_H
#define MMI_VALIDATE_H

#include "base/base.h"

typedef enum {
	MMI_PASSED,
	MMI_WARNED,  /* works, but is slow, or not what users expect */
	MMI_SKIPPED, /* text says why */
	MMI_FAILED,
	MMI_CRASHED, /* by a signal, by calling exit, or by not coming back */
	MMI_N_VERDICTS
} mmi_verdict;
const char *mmi_verdict_name(mmi_verdict v);

enum { MMI_TEST_CALLBACK = 64 };

typedef struct mmi_test_result {
	bool ran; /* otherwise it was not chosen */
	mmi_verdict verdict;
	double seconds;
	char callback[MMI_TEST_CALLBACK]; /* of the plugin, the last that was entered; "" */
	char text[MM_ERROR_TEXT];         /* what was found; "" when there is nothing to say */
} mmi_test_result;

typedef struct mmi_subject mmi_subject;

/* How far the plugin is when a test begins. */
typedef enum { MMI_LEVEL_FILE, MMI_LEVEL_PLUGIN, MMI_LEVEL_INSTANCE, MMI_LEVEL_DATA } mmi_test_level;

typedef struct mmi_test {
	const char *id, *group;
	int rule; /* of docs/ABI.md */
	mmi_test_level level;
	const char *needs; /* tests, with blanks between them: skipped unless these passed, or, after a '?', were skipped */
	const char *about; /* what it finds */
	/* MM_OK: passed; else e says what was found, and the subject whether that is a failure. */
	mm_status (*run)(mmi_subject *s, mm_error *e);
} mmi_test;

/* In the order they are run in: what a test needs stands before it. */
extern const mmi_test mmi_tests[];
extern const size_t mmi_n_tests;

typedef struct mmi_validation {
	const char *file;
	const char *modality; /* its id; NULL: the plugin's first */
	const char *data;     /* [data] root, or NULL */
	const char *const *sets;
	size_t n_sets; /* "key=value" of the modality's section, or "section.key=value" */
	const char *const *only;
	size_t n_only; /* ids or groups; 0: all */
	uint64_t seed;
	double limit;    /* seconds a test may take */
	bool in_process; /* for debuggers: no child processes, no limits, a crash is one */
	const mmi_log *log;
	void (*done)(void *ctx, const mmi_test *test, const mmi_test_result *result); /* after each test; may be NULL */
	void *ctx;
} mmi_validation;

/* results: mmi_n_tests of them. MM_ECONFIG: the request does not fit the plugin (an unknown test, modality or setting),
 * and nothing was tested. MM_ENOMEM, MM_EIO: the machine had no memory, process or folder for all tests. A plugin's
 * faults are results, not failures. */
mm_status mmi_validate(const mmi_validation *v, mmi_test_result *results, mm_error *e);

#endif
