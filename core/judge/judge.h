/* judge.h - the judge of evaluation: the plugins' classifiers, trained on the labels of the training split. It says
 * which class a sample shows, and gives the feature vectors that the Frechet distance compares. Where classes do not
 * say enough, a matcher (matcher.h), trained on the tuples of that split, says how well samples of two modalities
 * belong together.
 *
 * A judge belongs to data, not to a model: one serves all runs on the same modalities. */
#ifndef MMI_JUDGE_H
#define MMI_JUDGE_H

#include "engine/network.h"
#include "judge/matcher.h"
#include "run/setup.h"
#include "model/model.h"

#define MMI_JUDGE_CHUNK 16u     /* rows a worker takes at once */
#define MMI_JUDGE_GALLERY 1000u /* test tuples that a matcher is measured on, at most */

typedef struct mmi_judge_member { /* one modality's classifier */
	const mmi_modality *modality;
	bool present; /* false: the modality brings none, and the rest is zero */
	uint32_t n_features;
	double accuracy; /* on the test split, as measured after training; NaN before */
	int64_t tested;  /* samples it was measured on */
	mmi_network net;
	mm_tensor x, logits, features;
} mmi_judge_member;

typedef struct mmi_judge {
	mmi_params *params;
	mmi_pool *pool;
	float *logits; /* [worker][chunk][most classes]: of the rows at hand */
	uint32_t most_classes;
	uint32_t n;       /* modalities */
	uint32_t present; /* of them with a classifier */
	mmi_judge_member member[MMI_MAX_MODALITIES];
	mmi_matcher *matcher; /* NULL: none */
	bool split_known;     /* read from a file that tells: of what it was not trained on */
	uint64_t seed;        /* of the run whose validation tuples were held out */
	uint32_t holdout;     /* how many were */
} mmi_judge;

/* Whether a judge gets a matcher. AUTO: unless there is one modality only, or every one brings a classifier and is
 * given in files alone: views of one class are interchangeable, but words say more than a class. */
typedef enum { MMI_MATCHER_AUTO, MMI_MATCHER_YES, MMI_MATCHER_NO } mmi_matcher_wish;

typedef struct mmi_judge_training {
	uint32_t epochs; /* passes over the training tuples; 0: as many as they need, see mmi_judge_epochs */
	uint32_t batch;  /* at least 1; less where there are fewer tuples */
	double rate;     /* Adam's, falling to 0 along a cosine; the matcher's is half of it */
	mmi_matcher_wish wish;
} mmi_judge_training;
extern const mmi_judge_training mmi_judge_default;
/* Passes that make about 1500 batches, or half of that for the matcher; 2 to 100. */
uint32_t mmi_judge_epochs(uint32_t tuples, uint32_t batch, bool matcher);

typedef struct mmi_judge_hooks {
	void *ctx;
	bool (*stop)(void *ctx); /* true: give up (MM_ECANCELLED) */
	/* Batches; the last one's mean loss, which is called `what`. The count starts anew for the matcher. */
	void (*step)(void *ctx, uint64_t done, uint64_t total, const char *what, double loss);
	const mmi_log *log;
} mmi_judge_hooks;

/* Trains all classifiers of the setup's modalities and the matcher, then measures each on the test split: classifiers
 * on all of it, the matcher by retrieval among MMI_JUDGE_GALLERY complete tuples of a permutation. Where the data have
 * no test split, on the validation tuples, if any are held out. Batches are as large as there are tuples, at most. The
 * result is a function of settings and seed, whatever the number of threads. MM_EUNSUPPORTED: no modality brings a
 * classifier and there is no matcher. The setup must outlive the judge. */
mm_status mmi_judge_train(const mmi_setup *setup, const mmi_judge_training *t, const mmi_judge_hooks *hooks,
                          mmi_judge **out, mm_error *e);
/* A safetensors file: parameters; accuracies, recalls, plugins and settings in the metadata. */
mm_status mmi_judge_save(const mmi_judge *j, const mmi_setup *setup, const char *path, mm_error *e);
/* Refused with a message when it was made for other modalities, plugins or networks; it may know more modalities than
 * asked for. Device, modalities and pool must outlive it; what their plugins learned from data must be what they had
 * learned then. */
mm_status mmi_judge_open(const char *path, const mmi_device *device, const mmi_modality *modalities, size_t n,
                         mmi_pool *pool, mmi_judge **out, mm_error *e);
void mmi_judge_destroy(mmi_judge *j);

/* The classifiers, and the towers of a matcher if there is to be one, with fresh parameters: what training starts from.
 */
mm_status mmi_judge_create(const mmi_device *device, const mmi_modality *modalities, size_t n, bool matcher,
                           uint64_t seed, mmi_pool *pool, mmi_judge **out, mm_error *e);
/* The most likely class of each row, and, unless NULL, the features [rows][n_features]. member[m] must be present. */
void mmi_judge_run(mmi_judge *j, uint32_t m, const float *x, uint32_t rows, int32_t *class_of, float *features);
/* Rounds values as they are when saved: by the plugin's extension, pictures to 8 bits; other modalities stay. In place.
 */
void mmi_judge_as_saved(const mmi_modality *m, float *x, size_t rows);
/* Why there are no classifiers, for each modality, into text for messages: "[img] has fewer than two classes". */
const char *mmi_judge_lacks(const mmi_modality *modalities, size_t n, char *text, size_t size);
/* The reason for one modality, as in "has fewer than two classes". */
const char *mmi_judge_lack(const mmi_modality *m);
/* The members' accuracies, "m0 0.987, m1 0.991" into text for messages. */
const char *mmi_judge_text(const mmi_judge *j, char *text, size_t size);

#endif
