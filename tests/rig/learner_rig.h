/* learner_rig.h - a small learner on made-up data: three modalities without a plugin, one for each kind of support. */
#ifndef MMI_TEST_LEARNER_RIG_H
#define MMI_TEST_LEARNER_RIG_H

#include "learn/learner.h"
#include "run/settings.h"

enum { RIG_PICTURE /* a box */, RIG_WORDS /* a simplex */, RIG_SENSOR /* the real line */, RIG_MODALITIES };

typedef struct learner_rig {
	mmi_config *config;
	mmi_settings settings;
	mmi_modality modality[RIG_MODALITIES];
	uint32_t n_modalities;
	mmi_pool *pool;
	mmi_model *model;
	mmi_comm comm;
	mmi_learner *learner;
	float *x[RIG_MODALITIES], *observed[RIG_MODALITIES];
	float *here[RIG_MODALITIES]; /* where the rows of the learner's span begin */
	const float *there[RIG_MODALITIES];
	bool lacking; /* batches with missing modalities */
	mmi_batch batch;
} learner_rig;

/* The modality of a kind as the plugin loader would leave it. */
mmi_modality rig_modality(int kind);
/* Settings: the rig's own small ones, then "section.key=value" up to a NULL. Aborts the test on failure. */
void rig_open(learner_rig *r, const char *const *sets);
/* The same on a device of the caller's, which must outlive the rig. */
void rig_open_on(learner_rig *r, const mmi_device *device, const char *const *sets);
/* The same with modalities of the caller's. */
void rig_open_with(learner_rig *r, const char *const *sets, const mmi_modality *modalities, uint32_t n);
void rig_close(learner_rig *r);
/* The same as one rank of several, which must not be moved: batches are of the rows of its span. */
void rig_open_ranked(learner_rig *r, const mmi_comm *comm, const char *const *sets);
/* The batch of an iteration: four classes of samples that agree across modalities. */
const mmi_batch *rig_batch(learner_rig *r, uint64_t iteration);
/* The learner's next iteration on its batch. */
mm_status rig_iterate(learner_rig *r, mmi_measures *m, mm_error *e);
/* n iterations, each of which must succeed. */
mmi_measures rig_run(learner_rig *r, uint32_t n);
/* Every tensor, moment, counter and factor that a checkpoint holds has the same bits in both; else the test fails,
 * naming the first that differs. */
void rig_assert_same(learner_rig *a, learner_rig *b);
/* A hash of one model's parameters. */
uint64_t rig_hash(const mmi_params *p);
typedef struct rig_hashes {
	uint64_t generator, inference, energy;
} rig_hashes;
rig_hashes rig_hash_all(const learner_rig *r);

#endif
