/* snapshot.c - snapshots and rollbacks, and what a checkpoint holds. */
#include "mmi_build.h"

#include "learn/snapshot.h"
#include "store/checkpoint.h"

#include <float.h>
#include <stdio.h>
#include <string.h>

mmi_optimiser *mmi_learner_model(const mmi_learner *learner, int number)
{
	mmi_learner *l = (mmi_learner *)(uintptr_t)learner; /* its optimisers may be changed by who may not change it */
	mmi_optimiser *const all[MMI_LEARNER_MODELS] = { &l->generator, &l->inference, &l->energy, &l->match_optimiser };
	return all[number]->params ? all[number] : NULL;
}

/* E_match, the last, is not always there. */
static int models(const mmi_learner *l)
{
	return mmi_learner_model(l, MMI_LEARNER_MODELS - 1) ? MMI_LEARNER_MODELS : MMI_LEARNER_MODELS - 1;
}

#define SNAPSHOT "snapshot."

/* The flat arrays of one model, in the snapshot's order; items of a snapshot in a checkpoint beside a counter a model.
 */
enum { ARRAYS = 6, SNAPSHOT_ITEMS = 9 };

static size_t arrays(const mmi_optimiser *o, mmi_floats array[ARRAYS], size_t count[ARRAYS])
{
	const size_t p = o->params->count;
	const mmi_floats a[ARRAYS] = { o->params->raw, o->m, o->v, o->params->vectors, o->ema, o->v_max };
	const size_t n[ARRAYS] = { p, p, p, o->params->n_vectors, o->ema.at ? p : 0, o->v_max.at ? p : 0 };
	memcpy(array, a, sizeof a);
	memcpy(count, n, sizeof n);
	return n[0] + n[1] + n[2] + n[3] + n[4] + n[5];
}

mm_status mmi_snapshot_create(mmi_learner *l, mm_error *e)
{
	size_t total = 0, count[ARRAYS];
	mmi_floats array[ARRAYS];
	for (int i = 0; i < models(l); i++)
		total += arrays(mmi_learner_model(l, i), array, count);
	if (mmi_mirror_create(l->model->device, total * sizeof(float), &l->snapshot, e) != MM_OK)
		return mmi_fail_prefix(e, "a snapshot of %zu values", total);
	mmi_snapshot_take(l);
	return MM_OK;
}

static void copy_arrays(mmi_learner *l, bool restore)
{
	const mmi_device *d = l->model->device;
	mmi_floats at = { l->snapshot.device }, array[ARRAYS];
	size_t count[ARRAYS];
	for (int i = 0; i < models(l); i++) {
		arrays(mmi_learner_model(l, i), array, count);
		for (int k = 0; k < ARRAYS; at = mmi_floats_at(at, count[k]), k++)
			if (count[k])
				mmi_floats_copy(d, restore ? array[k] : at, restore ? at : array[k], count[k]);
	}
}

void mmi_snapshot_take(mmi_learner *l)
{
	copy_arrays(l, false);
	l->snapshot_state = l->state;
	for (int i = 0; i < models(l); i++)
		l->snapshot_t[i] = mmi_learner_model(l, i)->t;
}

/* Calls for every array of the buffer. */
static void each_of_buffer(const mmi_learner *l, void (*call)(const mmi_device *d, const mmi_mirror *copy))
{
	const mmi_device *d = l->model->device;
	call(d, &l->buffer_z_copy);
	for (uint32_t m = 0; m < l->model->n_modalities; m++) {
		call(d, &l->buffer_w_copy[m]);
		call(d, &l->buffer_x_copy[m]);
	}
}

static void empty(const mmi_device *d, const mmi_mirror *copy)
{
	if (copy->bytes)
		d->ops->zero(d, copy->device, copy->bytes);
}

static void pull(const mmi_device *d, const mmi_mirror *copy)
{
	if (copy->bytes)
		mmi_mirror_pull(d, copy, copy->bytes);
}

static void push(const mmi_device *d, const mmi_mirror *copy)
{
	if (copy->bytes)
		mmi_mirror_push(d, copy);
}

/* What follows from parameters and counters. */
static void follow(mmi_learner *l)
{
	for (int i = 0; i < models(l); i++)
		mmi_params_update(mmi_learner_model(l, i)->params, 0);
	mmi_sampler_reseed(l->sampler, (uint64_t)l->state.rollbacks);
}

static void go_back(mmi_learner *l, int64_t rollbacks)
{
	copy_arrays(l, true);
	l->state = l->snapshot_state;
	l->state.rollbacks = rollbacks;
	l->state.n_buffered = 0; /* what broke down may be in the buffer, and must not get into checkpoints */
	each_of_buffer(l, empty);
	for (int i = 0; i < models(l); i++)
		mmi_learner_model(l, i)->t = l->snapshot_t[i];
	follow(l);
	mmi_snapshot_take(l);
}

void mmi_learner_revert(mmi_learner *l)
{
	go_back(l, l->state.rollbacks);
}

mm_status mmi_learner_rollback(mmi_learner *l, int culprit, mm_error *e)
{
	int64_t rollbacks = l->state.rollbacks + 1;
	if (rollbacks > l->settings->max_rollbacks)
		return mmi_fail(e, MM_ENUMERIC,
		                "training broke down %lld times; at most %u rollbacks are allowed ([learner] max_rollbacks). "
		                "Lower the learning rates or the step sizes",
		                (long long)rollbacks, l->settings->max_rollbacks);
	go_back(l, rollbacks);
	mmi_learner_model(l, culprit)->rate_factor *= 0.5;
	return MM_OK;
}

mm_status mmi_learner_fetch(const mmi_learner *l, mm_error *e)
{
	for (int i = 0; i < models(l); i++)
		mmi_optimiser_fetch(mmi_learner_model(l, i));
	mmi_mirror_pull(l->model->device, &l->snapshot, l->snapshot.bytes);
	each_of_buffer(l, pull);
	return l->model->device->ops->wait(l->model->device, e);
}

void mmi_learner_restored(mmi_learner *l, bool snapshot)
{
	for (int i = 0; i < models(l); i++)
		mmi_optimiser_push(mmi_learner_model(l, i));
	each_of_buffer(l, push);
	follow(l);
	/* A run may go on with another step, also behind a rollback. */
	l->state.x_step = mmi_settings_x_step(l->settings, l->state.x_step);
	l->snapshot_state.x_step = mmi_settings_x_step(l->settings, l->snapshot_state.x_step);
	if (snapshot)
		mmi_mirror_push(l->model->device, &l->snapshot);
	else
		mmi_snapshot_take(l);
	l->model->device->ops->wait(l->model->device, NULL); /* what was pushed may be fetched again: for other ranks */
}

/* ------------------------------------------------------------ checkpoint items */

typedef struct mmi_item_list {
	mmi_tensor_item *items;
	char **names;
	size_t n, n_names, capacity;
	bool failed;
} mmi_item_list;

static const char *keep_name(mmi_item_list *list, char *name)
{
	if (!name) {
		list->failed = true;
		return "";
	}
	list->names[list->n_names++] = name;
	return name;
}

static void add_model(mmi_item_list *list, mmi_optimiser *o)
{
	mmi_params *p = o->params;
	const struct {
		const char *prefix;
		float *base;
	} arrays_of[5] = { { "", p->raw_copy.host },
		               { "adam_m.", o->m_copy.host },
		               { "adam_v.", o->v_copy.host },
		               { "ema.", o->ema_copy.host },
		               { "adam_v_max.", o->v_max_copy.host } };
	for (int a = 0; a < 5; a++)
		for (size_t i = 0; arrays_of[a].base && i < p->n; i++)
			list->items[list->n++] =
				mmi_item_f32(keep_name(list, mmi_format("%s%s.%s", arrays_of[a].prefix, p->name, p->info[i].name)),
			                 p->info[i].shape, arrays_of[a].base + p->info[i].offset);
	if (p->n_vectors)
		list->items[list->n++] =
			mmi_item_f32_flat(keep_name(list, mmi_format("spectral.%s", p->name)), p->n_vectors, p->vectors_copy.host);
	list->items[list->n++] = mmi_item_counter(keep_name(list, mmi_format("adam_t.%s", p->name)), &o->t);
	list->items[list->n++] =
		mmi_item_within(mmi_item_double(keep_name(list, mmi_format("rate_factor.%s", p->name)), &o->rate_factor), 0, 1);
}

static void add_state(mmi_item_list *list, const char *prefix, mmi_learner_state *s)
{
	const mmi_tensor_item gaps = {
		.name = "state.gaps", .dtype = MMI_F64, .rank = 1, .dim = { MMI_GAPS }, .data = s->gaps
	};
	const mmi_tensor_item items[] = {
		mmi_item_within(mmi_item_counter("state.iteration", &s->iteration), 0,
		                UINT32_MAX), /* as many as settings allow */
		mmi_item_within(mmi_item_counter("state.rollbacks", &s->rollbacks), 0, MMI_LIMIT),
		mmi_item_within(mmi_item_double("state.x_step", &s->x_step), 0, MMI_STEP_MAX),
		mmi_item_within(mmi_item_double("state.x_step_sum", &s->x_step_sum), 0, MMI_CALIBRATE * MMI_STEP_MAX),
		mmi_item_within(mmi_item_counter("state.x_step_n", &s->x_step_n), 0, MMI_CALIBRATE),
		mmi_item_counter("state.n_gaps", &s->n_gaps),
		mmi_item_counter("state.n_buffered", &s->n_buffered),
		mmi_item_within(gaps, 0, DBL_MAX),
	};
	for (size_t i = 0; i < MMI_COUNT(items); i++) {
		mmi_tensor_item *item = &list->items[list->n++];
		*item = items[i];
		item->name = keep_name(list, mmi_format("%s%s", prefix, items[i].name));
	}
}

static void add_snapshot(mmi_item_list *list, mmi_learner *l)
{
	list->items[list->n++] = mmi_item_f32_flat(SNAPSHOT "arrays", l->snapshot.bytes / sizeof(float), l->snapshot.host);
	for (int i = 0; i < models(l); i++)
		list->items[list->n++] =
			mmi_item_counter(keep_name(list, mmi_format(SNAPSHOT "adam_t.%s", mmi_learner_model(l, i)->params->name)),
		                     &l->snapshot_t[i]);
	add_state(list, SNAPSHOT, &l->snapshot_state);
}

static void add_rows(mmi_item_list *list, const char *what, const char *name, float *rows, size_t n, size_t count)
{
	if (rows)
		list->items[list->n++] =
			mmi_item_f32_flat(keep_name(list, mmi_format("buffer.%s%s", what, name)), n * count, rows);
}

static void add_buffer(mmi_item_list *list, mmi_learner *l)
{
	size_t n = l->settings->x_buffer;
	add_rows(list, "z", "", l->buffer_z_copy.host, n, (size_t)mmi_model_z_dim(l->model));
	for (uint32_t m = 0; m < l->model->n_modalities; m++) {
		const mmi_modality *modality = &l->model->modalities[m];
		add_rows(list, "w/", modality->name, l->buffer_w_copy[m].host, n, (size_t)mmi_model_w_dim(l->model));
		add_rows(list, "x/", modality->name, l->buffer_x_copy[m].host, n, (size_t)modality->count);
	}
}

/* What the plugins learned from their data. Setup has read it from the checkpoint already when a run goes on. */
static void add_states(mmi_item_list *list, const mmi_model *m)
{
	for (uint32_t i = 0; i < m->n_modalities; i++) {
		const mmi_modality *modality = &m->modalities[i];
		if (modality->state)
			list->items[list->n++] =
				(mmi_tensor_item){ .name = keep_name(list, mmi_format(MMI_STATE_TENSOR, modality->name)),
				                   .dtype = MMI_U8,
				                   .rank = 1,
				                   .dim = { (int64_t)modality->state_bytes },
				                   .data = modality->state };
	}
}

mm_status mmi_learner_items(mmi_learner *l, mmi_tensor_item **items, size_t *n, char ***names, size_t *n_names,
                            mm_error *e)
{
	mmi_item_list list = { .capacity = 64 + 3 * MMI_MAX_MODALITIES };
	for (int i = 0; i < models(l); i++)
		list.capacity += 5 * mmi_learner_model(l, i)->params->n + 3;
	list.items = mmi_alloc(list.capacity, sizeof *list.items);
	list.names = mmi_alloc(list.capacity, sizeof *list.names);
	for (int i = 0; list.items && list.names && i < models(l); i++)
		add_model(&list, mmi_learner_model(l, i));
	if (list.items && list.names) {
		add_states(&list, l->model);
		add_buffer(&list, l);
		add_state(&list, "", &l->state);
		add_snapshot(&list, l);
	}
	if (!list.items || !list.names || list.failed) {
		mmi_learner_items_free(list.items, list.names, list.n_names);
		return mmi_fail(e, MM_ENOMEM, "out of memory for a checkpoint's list of tensors");
	}
	*items = list.items;
	*n = list.n;
	*names = list.names;
	*n_names = list.n_names;
	return MM_OK;
}

/* A snapshot is of this moment, or will be as the next iteration begins. */
static bool at_snapshot(const mmi_learner *l)
{
	return l->state.iteration % l->settings->snapshot_interval == 0 ||
	       l->snapshot_state.iteration == l->state.iteration;
}

static size_t snapshot_items(const mmi_learner *l)
{
	return SNAPSHOT_ITEMS + (size_t)models(l);
}

size_t mmi_learner_items_due(const mmi_learner *l, size_t n)
{
	return at_snapshot(l) ? n - snapshot_items(l) : n;
}

mm_status mmi_learner_restore(mmi_learner *l, const mmi_checkpoint *ck, const mmi_tensor_item *items, size_t n,
                              mm_error *e)
{
	const bool has_snapshot = mmi_safetensors_find(mmi_checkpoint_tensors(ck), SNAPSHOT "arrays");
	/* A prior that was fitted to the model as it was means nothing to one that goes on learning. */
	static const char *const others[] = { "fitted." };
	MMI_TRY(mmi_checkpoint_restore_part(ck, items, has_snapshot ? n : n - snapshot_items(l), others, 1, e));
	mmi_learner_restored(l, has_snapshot);
	return MM_OK;
}

void mmi_learner_items_free(mmi_tensor_item *items, char **names, size_t n_names)
{
	for (size_t i = 0; names && i < n_names; i++)
		mmi_free(names[i]);
	mmi_free(names);
	mmi_free(items);
}
