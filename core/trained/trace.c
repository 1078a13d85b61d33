/* trace.c - trajectories of the chains. */
#include "mmi_build.h"

#include "trained/trace.h"
#include "base/finite.h"

#include "model/rows.h"
#include "store/csv.h"
#include "store/files.h"
#include "trained/chains.h"
#include "trained/inputs.h"
#include "trained/recorder.h"
#include "trained/tiles.h"

#include <math.h>
#include <string.h>

typedef struct job {
	const mmi_saved *saved;
	const mmi_model *model;
	const mmi_trace_request *request;
	mmi_use_chains chains;
	mmi_inputs data;              /* the tuples */
	uint32_t rows;                /* one chunk */
	float *x[MMI_MAX_MODALITIES]; /* [rows]: the data, then the samples */
	float *decoded[MMI_MAX_MODALITIES];
	mmi_latents z;
	mmi_recorder recorder;
	mmi_csv_file csv;
} job;

/* A chain, and what is shown of it. */
typedef struct kind {
	const char *name; /* in the table, and of the strip's file */
	const char *title, *tuple;
	bool latent; /* its states are latents, shown decoded */
	bool given;  /* it is given test tuples, which stand beside it */
} kind;

static const kind posterior_chain = { "posterior", "posterior chain", "test tuple", true, true };
static const kind guided_chain = { "guide", "guided chain", "sample", true, false };
static const kind data_chain = { "data", "data chain", "sample", false, false };

static mm_status no_memory(mm_error *e)
{
	return mmi_fail(e, MM_ENOMEM, "out of memory for traces");
}

static mm_status allocate(job *j, mm_error *e)
{
	MMI_TRY(mmi_rows_create(j->model, j->rows, j->x, e));
	MMI_TRY(mmi_rows_create(j->model, j->rows, j->decoded, e));
	return mmi_latents_create(j->model, j->rows, &j->z, e);
}

static void clear(job *j)
{
	mmi_rows_clear(j->x);
	mmi_rows_clear(j->decoded);
	mmi_latents_clear(&j->z);
	mmi_inputs_clear(&j->data);
	mmi_recorder_clear(&j->recorder);
	mmi_csv_drop(&j->csv);
}

/* ---------------------------------------------------------------- numbers */

static void put_rows(job *j, const kind *k)
{
	const mmi_recorder *r = &j->recorder;
	const bool likelihood = k->given && !mmi_model_learns_prior(j->model); /* the recorder knows the standard prior */
	for (uint32_t row = 0; row < j->request->tuples; row++)
		for (uint32_t step = 0; step <= r->steps; step++) {
			size_t at = (size_t)step * r->rows + row;
			mmi_csv_put(j->csv.out, true, k->name);
			fprintf(j->csv.out, ",%u,%u", row, step);
			mmi_csv_put_number(j->csv.out, false, r->energy[at]);
			mmi_csv_put_number(j->csv.out, false, likelihood ? -(r->energy[at] + r->log_prior[at]) : (double)NAN);
			mmi_csv_put_number(j->csv.out, false, step ? r->move[at] : (double)NAN);
			fputc('\n', j->csv.out);
		}
}

/* Mean energy of the shown tuples at a step. */
static double mean_energy(const job *j, uint32_t step)
{
	double sum = 0;
	for (uint32_t row = 0; row < j->request->tuples; row++)
		sum += j->recorder.energy[(size_t)step * j->recorder.rows + row];
	return sum / j->request->tuples;
}

/* ---------------------------------------------------------------- strips */

/* Each tuple is a group of rows, one a modality that can be drawn. `row_of` is the first row of modality m. */
static size_t row_of(const job *j, size_t drawable, uint32_t tuple, uint32_t m)
{
	size_t before = 0;
	for (uint32_t k = 0; k < m; k++)
		before += j->model->modalities[k].picture != NULL;
	return tuple * drawable + before;
}

static mm_status draw_frame(const job *j, mmi_grid *g, size_t drawable, size_t column, float *const *x, mm_error *e)
{
	for (uint32_t m = 0; m < j->model->n_modalities; m++) {
		const mmi_modality *modality = &j->model->modalities[m];
		for (uint32_t t = 0; modality->picture && t < j->request->tuples; t++)
			MMI_TRY(
				mmi_tile_set(g, row_of(j, drawable, t, m), column, modality, x[m] + t * (size_t)modality->count, e));
	}
	return MM_OK;
}

/* The rows of all modalities at a frame: states of the data chain, or decoded latents. */
static void rows_at(job *j, uint32_t frame, const kind *k, float **x)
{
	mmi_latents z = { .z = NULL };
	uint32_t state = 0;
	if (k->latent) {
		z.z = j->z.z ? mmi_recorder_frame(&j->recorder, frame, state++) : NULL;
		for (uint32_t m = 0; m < j->model->n_modalities && j->z.w[m]; m++)
			z.w[m] = mmi_recorder_frame(&j->recorder, frame, state++);
		mmi_sampler_decode(j->saved->sampler, &z, j->rows, j->decoded);
	}
	for (uint32_t m = 0; m < j->model->n_modalities; m++)
		x[m] = k->latent ? j->decoded[m] : mmi_recorder_frame(&j->recorder, frame, m);
}

static mm_status label_sheet(const job *j, mmi_grid *g, size_t drawable, const kind *k, mm_error *e)
{
	const mmi_recorder *r = &j->recorder;
	char text[128];
	snprintf(text, sizeof text, k->latent ? "%s: U %.0f to %.0f in %u steps" : "%s: E %.3g to %.3g in %u steps",
	         k->title, mean_energy(j, 0), mean_energy(j, r->steps), r->steps);
	MMI_TRY(mmi_grid_title(g, text, e));
	for (uint32_t f = 0; f < r->n_frames; f++) {
		snprintf(text, sizeof text, "%u", mmi_recorder_step(r, f));
		MMI_TRY(mmi_grid_column(g, f, text, e));
	}
	for (uint32_t t = 0; t < j->request->tuples; t++) {
		snprintf(text, sizeof text, "%s %u", k->tuple, t);
		MMI_TRY(mmi_grid_group(g, t * drawable, text, e));
		for (uint32_t m = 0; m < j->model->n_modalities; m++)
			if (j->model->modalities[m].picture)
				MMI_TRY(mmi_grid_row(g, row_of(j, drawable, t, m), j->model->modalities[m].name, e));
	}
	return MM_OK;
}

static mm_status draw_sheet(job *j, mmi_grid *g, size_t drawable, const kind *k, mm_error *e)
{
	const mmi_recorder *r = &j->recorder;
	float *x[MMI_MAX_MODALITIES];
	MMI_TRY(label_sheet(j, g, drawable, k, e));
	for (uint32_t f = 0; f < r->n_frames; f++) {
		rows_at(j, f, k, x);
		MMI_TRY(draw_frame(j, g, drawable, f, x, e));
	}
	if (!k->given)
		return MM_OK;
	MMI_TRY(mmi_grid_gap(g, r->n_frames, e));
	MMI_TRY(mmi_grid_column(g, r->n_frames, "data", e));
	return draw_frame(j, g, drawable, r->n_frames, j->data.x, e);
}

static mm_status write_sheet(job *j, const kind *k, mm_error *e)
{
	mmi_grid *g;
	size_t drawable;
	if (mmi_tiles_drawable(j->model->modalities, j->model->n_modalities, &drawable, NULL) != MM_OK)
		return MM_OK; /* the numbers remain */
	char *path = mmi_format("%s/%s.png", j->request->out, k->name);
	if (!path)
		return no_memory(e);
	mm_status status = mmi_grid_create(j->request->tuples * drawable, j->recorder.n_frames + k->given, &g, e);
	if (status == MM_OK) {
		status = draw_sheet(j, g, drawable, k, e);
		if (status == MM_OK)
			status = mmi_grid_write(g, path, e);
		mmi_grid_destroy(g);
	}
	mmi_free(path);
	return status;
}

/* ---------------------------------------------------------------- chains */

static mm_status record_latents(job *j, mm_error *e)
{
	mmi_recorder *r = &j->recorder;
	r->laplace = j->model->config.prior == MMI_PRIOR_LAPLACE;
	if (j->z.z)
		MMI_TRY(mmi_recorder_add(r, j->z.z, (size_t)mmi_model_z_dim(j->model), 1, e));
	for (uint32_t m = 0; m < j->model->n_modalities && j->z.w[m]; m++)
		MMI_TRY(mmi_recorder_add(r, j->z.w[m], (size_t)mmi_model_w_dim(j->model), 1, e));
	return MM_OK;
}

static mm_status record_samples(job *j, mm_error *e)
{
	for (uint32_t m = 0; m < j->model->n_modalities; m++) {
		const mmi_modality *modality = &j->model->modalities[m];
		bool box = modality->info.support == MM_SUPPORT_BOX;
		double range = box ? (double)(modality->info.hi - modality->info.lo) : 1;
		MMI_TRY(mmi_recorder_add(&j->recorder, j->x[m], (size_t)modality->count, range, e));
	}
	return MM_OK;
}

static mm_status start_recording(job *j, uint32_t steps, mm_tensor energy, mm_error *e)
{
	return mmi_recorder_create(j->rows, steps, energy, &j->recorder, e);
}

static mm_status put_recording(job *j, const kind *k, mm_error *e)
{
	const size_t n = (size_t)(j->recorder.steps + 1) * j->recorder.rows,
				 bad = mmi_find_nonfinite_double(j->recorder.energy, n);
	if (bad < n)
		return mmi_fail(e, MM_ENUMERIC,
		                "the %s chain has energy %g at step %zu: its steps are too large, or the model has diverged",
		                k->name, j->recorder.energy[bad], bad / j->recorder.rows);
	put_rows(j, k);
	mm_status status = write_sheet(j, k, e);
	mmi_recorder_clear(&j->recorder);
	return status;
}

/* Rows behind the shown tuples repeat the last. */
static void fill_data(job *j)
{
	for (uint32_t m = 0; m < j->model->n_modalities; m++) {
		size_t count = (size_t)j->model->modalities[m].count;
		for (uint32_t r = 0; r < j->rows; r++)
			memcpy(j->x[m] + r * count, j->data.x[m] + (r < j->data.n ? r : j->data.n - 1) * count,
			       count * sizeof(float));
	}
}

static mm_status start_posterior(job *j, mm_error *e)
{
	mmi_sampler *s = j->saved->sampler;
	mmi_experts experts;
	uint32_t *expert = mmi_alloc(j->rows, sizeof *expert);
	mm_status status = expert ? mmi_experts_create(j->model, j->rows, &experts, e) : no_memory(e);
	if (status == MM_OK) {
		mmi_start_args start = { .iteration = j->request->number, .expert = expert, .single = true, .temperature = 1 };
		mmi_sampler_encode(s, (const float *const *)j->x, j->rows, &experts);
		mmi_sampler_pick(s, mmi_whole(j->rows), j->request->number, NULL, expert);
		mmi_sampler_start(s, &start, &experts, mmi_whole(j->rows), &j->z);
		mmi_experts_clear(&experts);
	}
	mmi_free(expert);
	return status;
}

static mm_status trace_posterior(job *j, mm_error *e)
{
	mmi_posterior_args args = j->chains.translate.posterior;
	mmi_chain_stats stats;
	fill_data(j);
	MMI_TRY(start_posterior(j, e));
	MMI_TRY(start_recording(j, args.steps, mmi_sampler_energy_tensor(j->saved->sampler, MMI_SAMPLER_POSTERIOR), e));
	MMI_TRY(record_latents(j, e));
	args.iteration = j->request->number;
	args.watch = mmi_recorder_watch;
	args.watch_ctx = &j->recorder;
	mmi_sampler_posterior(j->saved->sampler, &args, (const float *const *)j->x, mmi_whole(j->rows), 1, &j->z, NULL,
	                      &stats);
	return put_recording(j, &posterior_chain, e);
}

/* Latents from the prior, chosen among candidates, and where the guided chain leaves them. */
static mm_status trace_guide(job *j, mm_error *e)
{
	mmi_guide_args args = j->chains.sample.guide;
	mmi_chain_stats stats;
	args.iteration = j->request->number;
	mmi_sampler_choose_prior(j->saved->sampler, &args, mmi_whole(j->rows), &j->z);
	if (!args.steps)
		return MM_OK;
	MMI_TRY(start_recording(j, args.steps, mmi_sampler_guide_tensor(j->saved->sampler, args.terms), e));
	MMI_TRY(record_latents(j, e));
	args.watch = mmi_recorder_watch;
	args.watch_ctx = &j->recorder;
	mmi_sampler_guide(j->saved->sampler, &args, mmi_whole(j->rows), &j->z, NULL, &stats);
	return put_recording(j, &guided_chain, e);
}

static mm_status trace_data(job *j, mm_error *e)
{
	mmi_revise_args args = j->chains.sample.revise;
	mmi_chain_stats stats;
	if (args.from_noise)
		mmi_sampler_noise(j->saved->sampler, mmi_whole(j->rows), j->request->number, j->x);
	else
		mmi_sampler_decode(j->saved->sampler, &j->z, j->rows, j->x);
	mmi_rows_copy(j->model, j->rows, j->decoded, j->x);
	MMI_TRY(start_recording(j, args.steps, mmi_sampler_energy_tensor(j->saved->sampler, MMI_SAMPLER_REVISE), e));
	MMI_TRY(record_samples(j, e));
	args.iteration = j->request->number;
	args.rise_max = 0; /* a trace shows the chain as it goes */
	args.watch = mmi_recorder_watch;
	args.watch_ctx = &j->recorder;
	mmi_sampler_revise(j->saved->sampler, &args, j->x, (const float *const *)j->decoded, mmi_whole(j->rows), &stats);
	return put_recording(j, &data_chain, e);
}

static mm_status trace_all(job *j, mm_error *e)
{
	mm_error why = MM_ERROR_INIT;
	fputs("chain,tuple,step,energy,log_likelihood,move\n", j->csv.out);
	MMI_TRY(trace_posterior(j, e));
	if (mmi_use_need_energy(j->saved, "the data chain", &why) != MM_OK) {
		mmi_logf(j->request->log, MM_LOG_WARNING, "%s; only the posterior chain is traced", why.message);
		return MM_OK;
	}
	MMI_TRY(trace_guide(j, e));
	return trace_data(j, e);
}

/* The settings are checked and the data read before anything is written. */
static mm_status prepare(job *j, mm_error *e)
{
	static const bool none[MMI_MAX_MODALITIES] = { false }; /* given to translate; here all are data */
	uint32_t *index, n = j->request->tuples;
	if (n > j->rows)
		return mmi_fail(e, MM_ECONFIG, "--tuples %u: at most %u, as one worker takes at a time ([run] chunk)", n,
		                j->rows);
	MMI_TRY(mmi_use_chains_of(j->saved, &j->request->steps, &j->chains, e));
	mmi_sampler_expect_watch(j->saved->sampler);
	MMI_TRY(mmi_sampler_prepare(
		j->saved->sampler, MMI_NET_MODEL | mmi_chains_nets(&j->chains.sample) | mmi_chains_nets(&j->chains.translate),
		e));
	MMI_TRY(mmi_numbers_first(n, &index, e));
	mm_status status = mmi_inputs_test(j->saved, index, n, none, j->request->log, &j->data, e);
	mmi_free(index);
	MMI_TRY(status);
	MMI_TRY(allocate(j, e));
	return mmi_make_folders(j->request->out, e);
}

mm_status mmi_trace_make(const mmi_saved *s, const mmi_trace_request *r, mm_error *e)
{
	job j = { .saved = s, .model = s->model, .request = r, .rows = mmi_sampler_chunk(s->sampler) };
	mm_status status = prepare(&j, e);
	if (status == MM_OK)
		status = mmi_csv_begin(&j.csv, e);
	if (status == MM_OK)
		status = trace_all(&j, e);
	if (status == MM_OK)
		status = mmi_csv_finish(&j.csv, r->out, "trace.csv", e);
	clear(&j);
	return status;
}
