/* fuzz_resume.c - a run that goes on from a checkpoint with other numbers and a checksum that is right: refused with a
 * message, or two iterations whose results are finite or stopped by a guard. The input is a list of changes of 12
 * bytes: which tensor, which element, its bits. */
#include "mmi_build.h"

#include "fuzz_toys.h"
#include "base/finite.h"
#include "learn/learner.h"
#include "store/checkpoint.h"
#include "store/files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHANGE = 12, ITERATIONS = 2, LENGTH_BYTES = 8, FLOATS = 8, BATCH = 4 };

static struct {
	mmi_learner *learner;
	mmi_comm comm;
	mmi_tensor_item *items;
	char **names;
	size_t n_items, n_names;
	_Alignas(64) float x[MMI_MAX_MODALITIES][BATCH * FLOATS];
	float *rows[MMI_MAX_MODALITIES];
	uint8_t *file; /* a checkpoint as it was written */
	size_t bytes;
	mmi_safetensors *layout;
	uint8_t *changed;
	uint64_t data; /* where its data begin */
} run;

static mm_status iterate(mm_error *e)
{
	mmi_measures m;
	const mmi_batch batch = { .iteration = (uint64_t)run.learner->state.iteration, .size = BATCH, .x = run.rows };
	mm_status status = mmi_learner_iterate(run.learner, &batch, &m, e);
	if (status != MM_ENUMERIC)
		return status;
	mm_error own = MM_ERROR_INIT;
	fuzz_ok(mmi_learner_rollback(run.learner, m.culprit, &own), &own);
	return status;
}

static void write_checkpoint(void)
{
	char path[128], *text;
	mm_error e = MM_ERROR_INIT;
	snprintf(path, sizeof path, "%s/pristine.safetensors", fuzz_folder());
	fuzz_must(mmi_learner_fetch(run.learner, &e), &e);
	fuzz_must(mmi_checkpoint_save(path, run.items, run.n_items, NULL, 0, &e), &e);
	fuzz_must(mmi_read_file(path, 1 << 24, &text, &run.bytes, &e), &e);
	run.file = (uint8_t *)text;
	run.changed = malloc(run.bytes);
	fuzz_must(mmi_safetensors_open_memory("pristine", run.file, run.bytes, &run.layout, &e), &e);
	memcpy(&run.data, run.file, LENGTH_BYTES);
	run.data += LENGTH_BYTES;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	mmi_setup *s = fuzz_toys();
	mm_error e = MM_ERROR_INIT;
	(void)argc, (void)argv;
	run.comm = mmi_comm_alone();
	fuzz_must(mmi_learner_create(&s->settings, fuzz_toy_model(), s->pool, &run.comm, &run.learner, &e), &e);
	fuzz_must(mmi_learner_items(run.learner, &run.items, &run.n_items, &run.names, &run.n_names, &e), &e);
	for (size_t m = 0; m < s->n_modalities; m++) {
		run.rows[m] = run.x[m];
		for (int k = 0; k < BATCH * FLOATS; k++)
			run.x[m][k] = (float)(k % 7 - 3) / 4;
	}
	for (int i = 0; i < 3; i++)
		fuzz_must(iterate(&e), &e);
	write_checkpoint();
	return 0;
}

static void change(const uint8_t *c)
{
	uint64_t bits;
	const size_t which = ((size_t)c[0] << 8 | c[1]) % mmi_safetensors_count(run.layout);
	const mmi_tensor_info *t = mmi_safetensors_at(run.layout, which);
	const size_t size = mmi_dtype_size(t->dtype), n = (size_t)(t->end - t->begin) / size;
	memcpy(&bits, c + 4, sizeof bits);
	if (n)
		memcpy(run.changed + run.data + t->begin + ((size_t)c[2] << 8 | c[3]) % n * size, &bits, size);
}

static void check_finite(void)
{
	mm_error e = MM_ERROR_INIT;
	fuzz_must(mmi_learner_fetch(run.learner, &e), &e);
	for (size_t i = 0; i < run.n_items; i++) {
		const mmi_tensor_item *t = &run.items[i];
		uint64_t bytes = 0;
		if (t->dtype != MMI_F32 || !mmi_tensor_bytes(t->dtype, t->rank, t->dim, &bytes))
			continue;
		const size_t n = (size_t)bytes / sizeof(float), bad = mmi_find_nonfinite(t->data, n);
		if (bad < n)
			fuzz_fail("%s holds what is not finite after iterations that succeeded", t->name);
	}
}

static void go_on(void)
{
	for (int i = 0; i < ITERATIONS; i++) {
		mm_error e = MM_ERROR_INIT;
		fuzz_ok(iterate(&e), &e);
	}
	check_finite();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	mm_error e = MM_ERROR_INIT, f = MM_ERROR_INIT;
	mmi_checkpoint *ck;
	memcpy(run.changed, run.file, run.bytes);
	for (size_t at = 0; at + CHANGE <= n && at < 16 * CHANGE; at += CHANGE)
		change(data + at);
	fuzz_new_checksum(run.changed, run.bytes);
	fuzz_must(mmi_checkpoint_open_memory("changed", run.changed, run.bytes, &ck, &e), &e);
	if (fuzz_ok(mmi_learner_restore(run.learner, ck, run.items, run.n_items, &f), &f))
		go_on();
	mmi_checkpoint_close(ck);
	return 0;
}
