/* test_life.c - the whole life of a plugin: what it changes around itself, what it prints, and what becomes of it when
 * memory ends. */
#include "mmi_build.h"

#include "validate/tests.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void use_sample(mmi_subject *s, mmi_guarded *x, mm_error *ignored)
{
	float *sample = (float *)(void *)x->at;
	uint32_t width, height;
	if (mmi_modality_render(&s->m, sample, "rendered", ignored) == MM_OK && s->m.file)
		mmi_use_file(s, "rendered", x, ignored);
	mmi_subject_invent(s, 0, sample);
	if (s->m.picture && mmi_modality_picture_size(&s->m, &width, &height, ignored) == MM_OK) {
		uint8_t *rgb = mmi_alloc((size_t)width * height, 3);
		if (rgb)
			mmi_modality_draw(&s->m, sample, rgb, 3 * (size_t)width, ignored);
		mmi_free(rgb);
	}
	if (s->m.saved)
		mmi_modality_round(&s->m, sample);
	if (s->m.variation)
		mmi_modality_vary(&s->m, 1, "varied", sample, ignored);
}

static void use_data(mmi_subject *s, mmi_guarded *x, mm_error *ignored)
{
	char key[MMI_KEY_BYTES];
	int32_t label;
	if (mmi_subject_data(s, ignored) != MM_OK || !s->n_train)
		return;
	mmi_modality_key(&s->m, s->train, 0, key, ignored);
	mmi_modality_label(&s->m, s->train, 0, "", &label, ignored);
	for (uint64_t i = 0; i < mmi_subject_some(s, 8); i++)
		mmi_subject_read(s, s->train, i, x, ignored);
}

/* Everything once, whatever comes of it. */
static void live(mmi_subject *s)
{
	mm_error ignored = MM_ERROR_INIT;
	mmi_guarded *x;
	if (mmi_subject_make(s, &ignored) != MM_OK ||
	    mmi_subject_sample_block(s, "the room for a sample", &x, &ignored) != MM_OK)
		return;
	mmi_subject_invent(s, 0, (float *)(void *)x->at);
	use_sample(s, x, &ignored);
	use_data(s, x, &ignored);
	mmi_test_build(s, &ignored);
	mmi_subject_close(s);
}

mm_status mmi_test_ambient(mmi_subject *s, mm_error *e)
{
	mmi_subject own;
	mmi_subject_init(&own, s->request, s->trial);
	own.watch = true;
	live(&own);
	return own.changed[0] ? mmi_subject_blame(e, "%s", own.changed) : MM_OK;
}

static off_t written(int stream)
{
	struct stat st;
	fflush(NULL);
	return fstat(stream, &st) == 0 && S_ISREG(st.st_mode) ? st.st_size : 0;
}

mm_status mmi_test_quiet(mmi_subject *s, mm_error *e)
{
	mmi_subject own;
	const off_t out = written(STDOUT_FILENO);
	mmi_subject_init(&own, s->request, s->trial);
	live(&own);
	return written(STDOUT_FILENO) > out
	           ? mmi_subject_blame(
					 e, "it writes to standard output, which is the results'; lines belong in the host's log")
	           : MM_OK;
}

/* ---------------------------------------------------------------- memory */

typedef struct attempt {
	bool failed;
	mm_status status;
	size_t left;
} attempt;

/* Instance and data with the n-th block and, with `all`, those behind it refused. */
static attempt try_without(mmi_subject *s, size_t n, bool all, mm_error *answer)
{
	mmi_subject own;
	attempt a = { .failed = false };
	mmi_subject_init(&own, s->request, s->trial);
	own.refuse_from = n;
	own.refuse_to = all ? SIZE_MAX : n;
	a.status = mmi_subject_data(&own, answer);
	a.failed = own.asked >= n;
	mmi_subject_close(&own);
	a.left = own.left;
	return a;
}

mm_status mmi_test_no_memory(mmi_subject *s, mm_error *e)
{
	const double until = mmi_subject_clock() + s->request->limit / 8;
	for (size_t n = 1; mmi_subject_clock() < until; n += n < 100 ? 1 : n / 10) {
		for (int all = 0; all < 2; all++) {
			mm_error answer = MM_ERROR_INIT;
			const attempt a = try_without(s, n, all, &answer);
			if (!a.failed)
				return MM_OK;
			if (a.left && a.status != MM_OK)
				return mmi_subject_blame(e, "%zu blocks of the host are left when block %zu is refused", a.left, n);
			if (a.status != MM_OK && strstr(answer.message, "the plugin gave no text"))
				return mmi_subject_blame(e, "when block %zu is refused it fails without a text", n);
		}
	}
	return MM_OK;
}

/* ---------------------------------------------------------------- messages */

/* A failure with long and odd names in it. */
static mm_status read_missing(mmi_subject *s, char *path, size_t length, mm_error *e)
{
	mmi_guarded *block, *x;
	memset(path, 'x', length);
	memcpy(path, "/%n%s%s/", 8);
	path[length] = 0;
	MMI_TRY(mmi_subject_block(s, "the mm_error", sizeof(mm_error), &block, e));
	MMI_TRY(mmi_subject_sample_block(s, "the sample", &x, e));
	mm_error *answer = (mm_error *)(void *)block->at;
	*answer = (mm_error)MM_ERROR_INIT;
	mmi_subject_invent(s, 0, (float *)(void *)x->at);
	mmi_call call;
	mmi_call_begin(&call, s->m.name, s->m.plugin, "render");
	const mm_status status = s->m.desc->render(s->m.instance, (const float *)(const void *)x->at, path, answer);
	mmi_call_leave(&call);
	MMI_TRY(mmi_guarded_check(block, e));
	if (status == MM_OK)
		return MM_OK;
	if (!memchr(answer->message, 0, sizeof answer->message))
		return mmi_subject_blame(e, "render's message has no end");
	if (answer->code != status)
		return mmi_subject_blame(e, "render returns %d and sets the error's code to %d", (int)status,
		                         (int)answer->code);
	if (status < 0 || status > MM_EINTERNAL)
		return mmi_subject_blame(e, "render returns %d, which is no status", (int)status);
	return MM_OK;
}

mm_status mmi_test_messages(mmi_subject *s, mm_error *e)
{
	static const size_t lengths[] = { 20, 200, 490, 504, 600, 4000 };
	char path[4096];
	for (size_t i = 0; i < MMI_COUNT(lengths); i++)
		MMI_TRY(read_missing(s, path, lengths[i], e));
	return MM_OK;
}
