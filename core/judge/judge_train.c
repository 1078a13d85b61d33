/* judge_train.c - trains the judge: cross-entropy by Adam, in chunks and lanes as the learner's losses. */
#include "mmi_build.h"

#include "judge/judge.h"
#include "data/batches.h"
#include "engine/trainer.h"

#include <math.h>
#include <string.h>

const mmi_judge_training mmi_judge_default = { .epochs = 0, .batch = 128, .rate = 2e-3, .wish = MMI_MATCHER_AUTO };

#define UPDATES 1500u   /* of classifiers, roughly */
#define TEMPERATURE 0.1 /* of the contrastive loss */
#define BLOCK 512u      /* test samples in memory at once */

uint32_t mmi_judge_epochs(uint32_t tuples, uint32_t batch, bool matcher)
{
	const uint32_t whole = tuples / batch, updates = matcher ? UPDATES / 2 : UPDATES;
	const uint32_t epochs = whole ? (updates + whole - 1) / whole : 1;
	return epochs < 2 ? 2 : epochs > 100 ? 100 : epochs;
}

typedef struct training training;

typedef struct training_net { /* one classifier's loss */
	mmi_network net;
	mm_tensor x, target, seed, value;
	const training *training;
	uint32_t number; /* of its modality */
} training_net;

struct training {
	mmi_judge *judge;
	const mmi_judge_training *how;
	training_net net[MMI_MAX_MODALITIES];
	mmi_trainer trainer;
	mmi_lanes *lanes; /* the trainer's */
	mmi_pass pass;
	uint32_t rows;                     /* of a batch, in whole chunks */
	float *target[MMI_MAX_MODALITIES]; /* [rows][n_classes], one-hot; zeros without label or sample */
	mmi_mirror counts;                 /* floats [rows]: 1 in the batch, 0 behind it */
	const mmi_batch *batch;
	float *padded[MMI_MAX_MODALITIES]; /* [rows][floats]: the batch, where it is not whole chunks */
};

/* ------------------------------------------------------------ networks */

static mm_status record(training *t, uint32_t i, mm_error *e)
{
	const mmi_modality *modality = t->judge->member[i].modality;
	training_net *n = &t->net[i];
	mm_tensor logits, features;
	MMI_TRY(mmi_network_open(&n->net, e));
	mmi_graph *g = n->net.graph;
	mmi_graph_scope(g, t->judge->params, "%s", modality->name);
	n->x = mmi_input(g, modality->name, modality->info.shape);
	n->target = mmi_input(g, "target", mmi_shape(1, (int)modality->info.n_classes));
	n->seed = mmi_input(g, "seed", mmi_shape(0));
	MMI_TRY(mmi_modality_build_classifier(modality, g, n->x, &logits, &features, e));
	n->value = mmi_op(g, MMI_OP_NLL_CATEGORICAL, 2, (mm_tensor[]){ n->target, logits }, NULL);
	MMI_TRY(mmi_graph_check(g, e));
	const mmi_grad_request r = { .loss = n->value, .seed = n->seed, .stores = &t->judge->params, .n_stores = 1 };
	return mmi_trainer_compile(&n->net, &r, n->value, MMI_JUDGE_CHUNK, t->judge->pool, e);
}

static mm_status open_classifier(training *t, uint32_t i, mm_error *e)
{
	const mmi_modality *m = t->judge->member[i].modality;
	t->net[i].training = t;
	t->net[i].number = i;
	MMI_TRY(record(t, i, e));
	t->target[i] = mmi_alloc((size_t)t->rows * m->info.n_classes, sizeof(float));
	if (t->rows > t->how->batch)
		t->padded[i] = mmi_alloc(t->rows * (size_t)m->count, sizeof(float));
	if (!t->target[i] || (t->rows > t->how->batch && !t->padded[i]))
		return mmi_fail(e, MM_ENOMEM, "out of memory for training with batches of %u", t->how->batch);
	return MM_OK;
}

static mm_status open_trainer(training *t, mm_error *e)
{
	const mmi_judge *j = t->judge;
	const uint32_t batch = t->how->batch, chunks = (batch + MMI_JUDGE_CHUNK - 1) / MMI_JUDGE_CHUNK;
	t->rows = chunks * MMI_JUDGE_CHUNK;
	t->lanes = &t->trainer.lanes;
	MMI_TRY(mmi_mirror_create(j->params->device, t->rows * sizeof(float), &t->counts, e));
	for (uint32_t i = 0; i < batch; i++)
		((float *)t->counts.host)[i] = 1;
	mmi_mirror_push(j->params->device, &t->counts);
	for (uint32_t i = 0; i < j->n; i++)
		if (j->member[i].present)
			MMI_TRY(open_classifier(t, i, e));
	MMI_TRY(mmi_pass_create(j->params->device, j->pool, MMI_JUDGE_CHUNK, j->n * t->rows, &t->pass, e));
	return mmi_trainer_create(j->params, j->pool, j->n * chunks, t->how->rate, &t->trainer, e);
}

static void close_trainer(training *t)
{
	for (uint32_t i = 0; i < MMI_MAX_MODALITIES; i++) {
		mmi_network_clear(&t->net[i].net);
		mmi_free(t->target[i]);
		mmi_free(t->padded[i]);
	}
	mmi_pass_clear(&t->pass);
	mmi_trainer_clear(&t->trainer);
	mmi_mirror_clear(t->judge->params->device, &t->counts);
}

/* ------------------------------------------------------------ a step */

static void bind_classifier(const void *ctx, mmi_program *p, size_t row, int64_t n)
{
	const training_net *c = ctx;
	const training *t = c->training;
	const mmi_modality *modality = t->judge->member[c->number].modality;
	const float *x = t->padded[c->number] ? t->padded[c->number] : t->batch->x[c->number];
	mmi_program_feed(p, c->x, n, x + row * (size_t)modality->count);
	mmi_program_feed(p, c->target, n, t->target[c->number] + row * modality->info.n_classes);
}

/* What all classifiers present learn from the batch. */
static uint32_t list_rows(const training *t, mmi_pass_rows rows[MMI_MAX_MODALITIES])
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < t->judge->n; i++)
		if (t->judge->member[i].present)
			rows[n++] = (mmi_pass_rows){ .net = &t->net[i].net,
				                         .value = t->net[i].value,
				                         .seed = t->net[i].seed,
				                         .l2 = MMI_NONE,
				                         .lanes = &t->lanes,
				                         .n_lanes = 1,
				                         .bind = bind_classifier,
				                         .ctx = &t->net[i],
				                         .rows = t->rows,
				                         .weight = 1.0f / (float)t->how->batch,
				                         .row_weight = { t->counts.device } };
	return n;
}

/* And rows, where they have to be padded. */
static mm_status fill_targets(training *t, mm_error *e)
{
	for (uint32_t i = 0; i < t->judge->n; i++) {
		const mmi_judge_member *m = &t->judge->member[i];
		uint32_t classes = m->modality->info.n_classes;
		if (!m->present)
			continue;
		if (t->padded[i])
			memcpy(t->padded[i], t->batch->x[i], t->how->batch * (size_t)m->modality->count * sizeof(float));
		memset(t->target[i], 0, (size_t)t->how->batch * classes * sizeof(float));
		for (uint32_t r = 0; r < t->how->batch; r++) {
			int32_t label = t->batch->label[r];
			if (label >= (int32_t)classes)
				return mmi_fail(e, MM_EABI, "[%s] a training sample has label %d; expected one of 0 to %u",
				                m->modality->name, label, classes - 1);
			bool here = !t->batch->observed || t->batch->observed[i][r] > 0;
			if (label >= 0 && here)
				t->target[i][(size_t)r * classes + (uint32_t)label] = 1;
		}
	}
	return MM_OK;
}

static mm_status step(training *t, double schedule, double *loss, mm_error *e)
{
	mmi_pass_rows rows[MMI_MAX_MODALITIES];
	const uint32_t n = list_rows(t, rows);
	MMI_TRY(fill_targets(t, e));
	mmi_pass_run(&t->pass, rows, n);
	*loss = 0;
	for (uint32_t i = 0; i < n; i++) {
		double sum[2];
		mmi_pass_sum(&t->pass, &rows[i], sum);
		*loss += sum[0] / t->how->batch;
	}
	return mmi_trainer_step(&t->trainer, *loss, schedule, "judge", e);
}

static mm_status train(training *t, mmi_batches *batches, const mmi_judge_hooks *h, mm_error *e)
{
	uint64_t per_epoch = mmi_batches_per_epoch(batches), epochs = t->how->epochs;
	uint64_t total =
		per_epoch * (epochs ? epochs : mmi_judge_epochs((uint32_t)per_epoch * t->how->batch, t->how->batch, false));
	for (uint64_t i = 0; i < total; i++) {
		double loss;
		if (h->stop && h->stop(h->ctx))
			return mmi_fail(e, MM_ECANCELLED, "interrupted after %llu of %llu batches; no judge was written",
			                (unsigned long long)i, (unsigned long long)total);
		MMI_TRY(mmi_batches_next(batches, &t->batch, e));
		MMI_TRY(step(t, 0.5 * (1 + cos(M_PI * (double)i / (double)total)), &loss, e));
		if (h->step)
			h->step(h->ctx, i + 1, total, "cross-entropy", loss);
	}
	return MM_OK;
}

/* ------------------------------------------------------------ the test split */

typedef struct mmi_tally {
	int64_t right[MMI_MAX_MODALITIES], all[MMI_MAX_MODALITIES];
} mmi_tally;

static void tally_rows(mmi_judge *j, const mmi_tuples *tuples, uint32_t first, uint32_t n, float *const *x,
                       int32_t *class_of, mmi_tally *t)
{
	for (uint32_t i = 0; i < j->n; i++) {
		if (!j->member[i].present)
			continue;
		mmi_judge_run(j, i, x[i], n, class_of, NULL);
		for (uint32_t r = 0; r < n; r++) {
			int32_t label = mmi_tuples_label(tuples, first + r);
			bool counts = label >= 0 && mmi_tuples_has(tuples, first + r, i);
			t->all[i] += counts;
			t->right[i] += counts && class_of[r] == label;
		}
	}
}

static mm_status tally(mmi_judge *j, mmi_tuples *tuples, float *const *x, int32_t *class_of, mmi_tally *t, mm_error *e)
{
	for (uint32_t first = 0, n; first < mmi_tuples_count(tuples); first += n) {
		uint32_t left = mmi_tuples_count(tuples) - first;
		n = left < BLOCK ? left : BLOCK;
		for (uint32_t r = 0; r < n; r++) {
			float *at[MMI_MAX_MODALITIES];
			for (uint32_t i = 0; i < j->n; i++)
				at[i] = x[i] + (size_t)r * (size_t)j->member[i].modality->count;
			MMI_TRY(mmi_tuples_read(tuples, first + r, at, e));
		}
		tally_rows(j, tuples, first, n, x, class_of, t);
	}
	return MM_OK;
}

static mm_status keep(mmi_judge *j, const mmi_tally *t, mm_error *e)
{
	for (uint32_t i = 0; i < j->n; i++) {
		mmi_judge_member *m = &j->member[i];
		if (!m->present)
			continue;
		if (!t->all[i])
			return mmi_fail(e, MM_EUNSUPPORTED, "[%s] the test data have no labels, so the judge cannot be tested",
			                m->modality->name);
		m->accuracy = (double)t->right[i] / (double)t->all[i];
		m->tested = t->all[i];
	}
	return MM_OK;
}

static mm_status measure(mmi_judge *j, mmi_tuples *tuples, mm_error *e)
{
	mmi_tally t = { { 0 }, { 0 } };
	float *x[MMI_MAX_MODALITIES] = { NULL };
	int32_t *class_of = mmi_alloc(BLOCK, sizeof *class_of);
	bool ok = class_of;
	for (uint32_t i = 0; i < j->n && ok; i++)
		ok = (x[i] = mmi_alloc((size_t)BLOCK * (size_t)j->member[i].modality->count, sizeof(float)));
	mm_status status =
		ok ? tally(j, tuples, x, class_of, &t, e) : mmi_fail(e, MM_ENOMEM, "out of memory for %u test samples", BLOCK);
	for (uint32_t i = 0; i < j->n; i++)
		mmi_free(x[i]);
	mmi_free(class_of);
	return status == MM_OK ? keep(j, &t, e) : status;
}

/* ------------------------------------------------------------ all of it */

static mm_status train_on(mmi_judge *j, const mmi_setup *s, const mmi_judge_training *how, mmi_tuples *tuples,
                          const mmi_judge_hooks *h, mm_error *e)
{
	training t = { .judge = j, .how = how };
	mmi_batches *batches = NULL;
	mm_status status = open_trainer(&t, e);
	if (status == MM_OK)
		status = mmi_batches_create(tuples, mmi_whole(how->batch), s->settings.seed, 0, false, &batches, e);
	if (status == MM_OK)
		status = train(&t, batches, h, e);
	mmi_batches_destroy(batches);
	close_trainer(&t);
	return status;
}

static mm_status open_part(const mmi_setup *s, mmi_part part, const mmi_log *log, mmi_tuples **out, mm_error *e)
{
	const mmi_settings *set = &s->settings;
	return (set->keep_incomplete ? mmi_tuples_open_incomplete : mmi_tuples_open)(s->modalities, s->n_modalities, part,
	                                                                             set->holdout, set->seed, log, out, e);
}

/* The batch asked for, or all tuples where there are fewer. */
static uint32_t fitting_batch(const mmi_judge_training *how, const char *whose, uint32_t tuples, const mmi_log *log)
{
	if (tuples >= how->batch)
		return how->batch;
	mmi_logf(log, MM_LOG_INFO, "the %s's batch is %u instead of %u (--batch): there are no more training tuples", whose,
	         tuples, how->batch);
	return tuples;
}

/* ------------------------------------------------------------ the matcher */

static mm_status match_step(void *ctx, uint64_t done, uint64_t total, double loss, mm_error *e)
{
	const mmi_judge_hooks *h = ctx;
	if (h->step)
		h->step(h->ctx, done, total, "contrastive loss", loss);
	if (h->stop && h->stop(h->ctx))
		return mmi_fail(e, MM_ECANCELLED, "interrupted after %llu of %llu batches; no judge was written",
		                (unsigned long long)done, (unsigned long long)total);
	return MM_OK;
}

static mm_status measure_matcher(mmi_matcher *m, mmi_tuples *tuples, uint64_t seed, mm_error *e)
{
	mmi_embedded x;
	MMI_TRY(mmi_tuples_pick(tuples, MMI_JUDGE_GALLERY, seed, e));
	MMI_TRY(mmi_matcher_embed(m, tuples, MMI_JUDGE_GALLERY, NULL, NULL, &x, e));
	mm_status status = MM_OK;
	for (uint32_t a = 0; a < m->n; a++)
		for (uint32_t b = 0; b < m->n && status == MM_OK; b++)
			if (a != b)
				status = mmi_embedded_recall(&x, a, b, m->pool, &m->recall[a][b], e);
	mmi_embedded_clear(&x);
	return status;
}

/* Tuples that lack something are of no use from here on. */
static mm_status make_matcher(mmi_judge *j, const mmi_setup *s, const mmi_judge_training *how, const mmi_judge_hooks *h,
                              mmi_tuples *train_part, mmi_tuples *test_part, mm_error *e)
{
	const mmi_matching_hooks hooks = { (void *)(uintptr_t)h, match_step };
	mmi_matching matching = { .epochs = how->epochs, .rate = how->rate / 2, .temperature = TEMPERATURE };
	mmi_tuples_drop_incomplete(train_part);
	mmi_tuples_drop_incomplete(test_part);
	if (!mmi_tuples_count(train_part) || !mmi_tuples_count(test_part))
		return mmi_fail(e, MM_EFORMAT,
		                "a matcher needs complete tuples for training and for testing; there are %u and %u",
		                mmi_tuples_count(train_part), mmi_tuples_count(test_part));
	matching.batch = fitting_batch(how, "matcher", mmi_tuples_count(train_part), h->log);
	if (!matching.epochs)
		matching.epochs = mmi_judge_epochs(mmi_tuples_count(train_part), matching.batch, true);
	MMI_TRY(mmi_matcher_train(j->matcher, train_part, &matching, s->settings.seed, &hooks, e));
	return measure_matcher(j->matcher, test_part, s->settings.seed, e);
}

/* ------------------------------------------------------------ both */

static mm_status make_classifiers(mmi_judge *j, const mmi_setup *s, const mmi_judge_training *how,
                                  const mmi_judge_hooks *h, mmi_tuples *train_part, mmi_tuples *test_part, mm_error *e)
{
	mmi_judge_training fitting = *how;
	fitting.batch = fitting_batch(how, "judge", mmi_tuples_count(train_part), h->log);
	MMI_TRY(train_on(j, s, &fitting, train_part, h, e));
	return measure(j, test_part, e);
}

/* What the judge is measured on: the test split, or what was held out where there is none. */
static mm_status open_unseen(const mmi_setup *s, const mmi_log *log, mmi_tuples **out, mm_error *e)
{
	mm_error why = MM_ERROR_INIT;
	mm_status status = open_part(s, MMI_PART_TEST, log, out, &why);
	if (!mmi_part_absent(status))
		return status == MM_OK ? MM_OK : mmi_fail(e, status, "%s", why.message);
	if (!s->settings.holdout)
		return mmi_fail(
			e, status,
			"%s; a judge is measured on what it was not trained on: give the data a test split, or set [data] holdout",
			why.message);
	mmi_logf(log, MM_LOG_WARNING, "%s; the judge is measured on the validation tuples instead", why.message);
	return open_part(s, MMI_PART_VALIDATION, log, out, e);
}

static mm_status make(mmi_judge *j, const mmi_setup *s, const mmi_judge_training *how, const mmi_judge_hooks *h,
                      mm_error *e)
{
	mmi_tuples *train_part = NULL, *test_part = NULL;
	mm_status status = open_unseen(s, h->log, &test_part, e);
	if (status == MM_OK)
		status = open_part(s, MMI_PART_TRAIN, h->log, &train_part, e);
	if (status == MM_OK && j->present)
		status = make_classifiers(j, s, how, h, train_part, test_part, e);
	if (status == MM_OK && j->matcher)
		status = make_matcher(j, s, how, h, train_part, test_part, e);
	mmi_tuples_close(train_part);
	mmi_tuples_close(test_part);
	return status;
}

static bool wants_matcher(const mmi_setup *s, mmi_matcher_wish wish)
{
	bool says_more = false;
	for (size_t i = 0; i < s->n_modalities; i++) {
		const mmi_modality *m = &s->modalities[i];
		says_more = says_more || !m->classifier || (m->file && MM_HAS(m->file, read_text));
	}
	return wish == MMI_MATCHER_YES || (wish == MMI_MATCHER_AUTO && says_more && s->n_modalities > 1);
}

mm_status mmi_judge_train(const mmi_setup *s, const mmi_judge_training *how, const mmi_judge_hooks *h, mmi_judge **out,
                          mm_error *e)
{
	mmi_judge *j;
	const bool matcher = wants_matcher(s, how->wish);
	MMI_TRY(mmi_judge_create(&s->device, s->modalities, s->n_modalities, matcher, s->settings.seed, s->pool, &j, e));
	mm_status status = make(j, s, how, h, e);
	if (status == MM_OK)
		*out = j;
	else
		mmi_judge_destroy(j);
	return status;
}
