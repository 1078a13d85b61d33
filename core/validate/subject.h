/* subject.h - the plugin that is put to the test: its instance and data, the blocks it is handed, what it changed. */
#ifndef MMI_SUBJECT_H
#define MMI_SUBJECT_H

#include "plugin/call.h"
#include "plugin/contract.h"
#include "plugin/loader.h"
#include "plugin/modality.h"
#include "validate/child.h"
#include "validate/validate.h"

#include <pthread.h>

enum { MMI_SUBJECT_BLOCKS = 64, MMI_SUBJECT_SETS = 2 };

/* What a child tells its parent, in memory that both have. */
typedef struct mmi_trial {
	char callback[MMI_TEST_CALLBACK];
	atomic_int inside; /* calls that have not come back */
	bool finished;
	mmi_verdict verdict;
	double seconds;
	char text[MM_ERROR_TEXT];
	char block[MMI_TEST_CALLBACK]; /* a watched block whose end was passed, by how many bytes */
	long off;
} mmi_trial;

/* What a plugin must leave as it was, beyond what the host puts back. */
typedef struct mmi_surroundings {
	uint64_t signals, environment, folder;
	unsigned umask;
} mmi_surroundings;

struct mmi_subject {
	const mmi_validation *request;
	mmi_trial *trial;
	mmi_log log;
	mmi_host_hooks hooks;
	pthread_mutex_t lock;
	char entered[MMI_TEST_CALLBACK]; /* the last callback that was not destroy: where making an instance ended */
	uint64_t seed;
	const char *data;                   /* the root in use, or NULL */
	const char *sets[MMI_SUBJECT_SETS]; /* further settings of a test: "key=value" of the section */
	char section[32];
	mmi_registry *registry;
	const mmi_plugin *plugin;
	mmi_config *config;
	mmi_modality m; /* m.instance NULL: none yet */
	mm_dataset *train;
	uint64_t n_train;
	uint64_t draws; /* of the subject's own random numbers */
	mmi_guarded blocks[MMI_SUBJECT_BLOCKS];
	size_t n_blocks;
	mmi_verdict verdict; /* of a test that does not return MM_OK */
	/* hooks between plugin and host */
	size_t asked, refuse_from, refuse_to; /* allocations since refuse_from was set: those numbers fail; 0: none */
	const char *hidden;                   /* a service that this host does not have */
	bool bare;                            /* nor any other; tables of ABI 1.0 where `old` */
	bool old;
	size_t left; /* blocks when the last host ended */
	/* surroundings */
	bool watch;
	mmi_surroundings before;
	char changed[MM_ERROR_TEXT]; /* what was changed first, and by whom; "" */
};

void mmi_subject_init(mmi_subject *s, const mmi_validation *v, mmi_trial *trial);
/* Each opens what the ones before it need. `data`: the training split. */
mm_status mmi_subject_open(mmi_subject *s, mm_error *e);
mm_status mmi_subject_make(mmi_subject *s, mm_error *e);
mm_status mmi_subject_data(mmi_subject *s, mm_error *e);
mm_status mmi_subject_reach(mmi_subject *s, mmi_test_level level, mm_error *e);
void mmi_subject_unmake(mmi_subject *s); /* destroys instance and data */
void mmi_subject_close(mmi_subject *s);  /* all of it */

/* The test does not apply, or what was found is no failure: fills e, sets the verdict. Return MM_EUNSUPPORTED. */
mm_status mmi_subject_skip(mmi_subject *s, mm_error *e, const char *format, ...) MMI_PRINTF(3, 4);
mm_status mmi_subject_warn(mmi_subject *s, mm_error *e, const char *format, ...) MMI_PRINTF(3, 4);
/* A failure of the plugin, told without its name: the report has that. Returns MM_EABI. */
mm_status mmi_subject_blame(mm_error *e, const char *format, ...) MMI_PRINTF(2, 3);
/* A failure where the plugin was built for `minor` or later, in which the rule came; else a warning. */
mm_status mmi_subject_since(mmi_subject *s, unsigned minor, mm_error *e, const char *format, ...) MMI_PRINTF(4, 5);

/* A watched block that lives as long as the subject. */
mm_status mmi_subject_block(mmi_subject *s, const char *name, size_t bytes, mmi_guarded **out, mm_error *e);
mm_status mmi_subject_sample_block(mmi_subject *s, const char *name, mmi_guarded **out, mm_error *e);
/* Reads into a watched block, without checks of the values. */
mm_status mmi_subject_read(mmi_subject *s, mm_dataset *d, uint64_t index, mmi_guarded *to, mm_error *e);
uint32_t mmi_subject_word(mmi_subject *s);
/* A sample within the support: 0 random, 1 its lower end, 2 its upper end (one entry of each distribution on a
 * simplex). */
void mmi_subject_invent(mmi_subject *s, int which, float *x);
/* One of the data where there are such, else a random one. */
mm_status mmi_subject_sample(mmi_subject *s, uint64_t index, mmi_guarded *to, mm_error *e);
/* Does it up to `rounds` times; an error when that leaves blocks of the host, or memory that grows with the rounds. */
mm_status mmi_subject_flat(mmi_subject *s, const char *what, int rounds,
                           mm_status (*work)(mmi_subject *s, void *ctx, mm_error *e), void *ctx, mm_error *e);
/* `most`, or how many there are. */
uint64_t mmi_subject_some(const mmi_subject *s, uint64_t most);
double mmi_subject_clock(void);

#endif
