/* test_use.c - what is done with samples: pictures, files, samples as saved, variations. */
#include "mmi_build.h"

#include "validate/tests.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SOME = 4 };

static float *floats(const mmi_guarded *g)
{
	return (float *)(void *)g->at;
}

/* A sample of the data or an invented one, and a copy of it. */
static mm_status sample_and_copy(mmi_subject *s, uint64_t index, mmi_guarded *x[2], mm_error *e)
{
	if (!x[0]) {
		MMI_TRY(mmi_subject_sample_block(s, "the sample", &x[0], e));
		MMI_TRY(mmi_subject_sample_block(s, "a sample's copy", &x[1], e));
	}
	MMI_TRY(mmi_subject_sample(s, index, x[0], e));
	memcpy(x[1]->at, x[0]->at, x[0]->bytes);
	return MM_OK;
}

static mm_status unchanged(const char *callback, mmi_guarded *const x[2], mm_error *e)
{
	return memcmp(x[0]->at, x[1]->at, x[0]->bytes) ? mmi_subject_blame(e, "%s changes the sample it is given", callback)
	                                               : MM_OK;
}

/* ---------------------------------------------------------------- pictures */

enum { PADDING = 7 }; /* bytes behind each row that are not the picture's */

static mm_status draw_into(mmi_subject *s, const float *x, uint32_t width, uint32_t height, mmi_guarded **out,
                           mm_error *e)
{
	const size_t stride = 3 * (size_t)width + PADDING;
	MMI_TRY(mmi_subject_block(s, "the room for a picture", stride * (height - 1) + 3 * (size_t)width, out, e));
	MMI_TRY(mmi_modality_draw(&s->m, x, (*out)->at, stride, e));
	MMI_TRY(mmi_guarded_check(*out, e));
	for (uint32_t y = 0; y + 1 < height; y++)
		for (size_t k = 3 * (size_t)width; k < stride; k++)
			if ((*out)->at[y * stride + k] != 0xFF)
				return mmi_subject_blame(e, "draw writes behind the end of row %u", y);
	return MM_OK;
}

static mm_status size_of_picture(mmi_subject *s, uint32_t *width, uint32_t *height, mm_error *e)
{
	uint32_t w, h;
	if (!s->m.picture)
		return mmi_subject_skip(s, e, "it has no " MM_MODALITY_PICTURE);
	MMI_TRY(mmi_modality_picture_size(&s->m, width, height, e));
	MMI_TRY(mmi_modality_picture_size(&s->m, &w, &h, e));
	return w == *width && h == *height
	           ? MM_OK
	           : mmi_subject_blame(e, "the picture's size was %u x %u and is %u x %u now", *width, *height, w, h);
}

mm_status mmi_test_draw(mmi_subject *s, mm_error *e)
{
	uint32_t width, height;
	mmi_guarded *rgb, *x;
	MMI_TRY(size_of_picture(s, &width, &height, e));
	MMI_TRY(mmi_subject_sample_block(s, "the sample", &x, e));
	for (int which = 0; which < 3; which++) {
		mmi_subject_invent(s, which, floats(x));
		MMI_TRY(draw_into(s, floats(x), width, height, &rgb, e));
	}
	return MM_OK;
}

mm_status mmi_test_draw_repeat(mmi_subject *s, mm_error *e)
{
	uint32_t width, height;
	mmi_guarded *x[2] = { NULL }, *first, *second;
	MMI_TRY(size_of_picture(s, &width, &height, e));
	MMI_TRY(sample_and_copy(s, 0, x, e));
	MMI_TRY(draw_into(s, floats(x[0]), width, height, &first, e));
	MMI_TRY(unchanged("draw", x, e));
	MMI_TRY(draw_into(s, floats(x[0]), width, height, &second, e));
	return memcmp(first->at, second->at, first->bytes) ? mmi_subject_blame(e, "draw gives two pictures of one sample")
	                                                   : MM_OK;
}

/* ---------------------------------------------------------------- samples as saved, variations */

mm_status mmi_test_round(mmi_subject *s, mm_error *e)
{
	mmi_guarded *x[2] = { NULL };
	if (!s->m.saved)
		return mmi_subject_skip(s, e, "it has no " MM_MODALITY_SAVED);
	for (uint64_t i = 0; i < SOME; i++) {
		MMI_TRY(sample_and_copy(s, i, x, e));
		mmi_modality_round(&s->m, floats(x[0]));
		MMI_TRY(mmi_guarded_check(x[0], e));
		MMI_TRY(mmi_contract_values(&s->m, "round", NULL, floats(x[0]), e));
		memcpy(x[1]->at, x[0]->at, x[0]->bytes);
		mmi_modality_round(&s->m, floats(x[0]));
		if (memcmp(x[0]->at, x[1]->at, x[0]->bytes))
			return mmi_subject_blame(e, "round changes what it has rounded before");
	}
	return MM_OK;
}

mm_status mmi_test_vary(mmi_subject *s, mm_error *e)
{
	mmi_guarded *x[2] = { NULL };
	char key[32];
	if (!s->m.variation)
		return mmi_subject_skip(s, e, "it has no " MM_MODALITY_VARIATION);
	for (uint64_t draw = 0; draw < 64; draw++) {
		snprintf(key, sizeof key, "draw %llu", (unsigned long long)draw);
		MMI_TRY(sample_and_copy(s, draw % SOME, x, e));
		MMI_TRY(mmi_modality_vary(&s->m, draw, key, floats(x[0]), e));
		MMI_TRY(mmi_guarded_check(x[0], e));
		MMI_TRY(mmi_modality_vary(&s->m, draw, key, floats(x[1]), e));
		if (memcmp(x[0]->at, x[1]->at, x[0]->bytes))
			return mmi_subject_blame(e, "vary makes two samples of one sample and draw %llu", (unsigned long long)draw);
	}
	return MM_OK;
}

/* ---------------------------------------------------------------- files */

static char *rendered_name(const mmi_subject *s)
{
	return mmi_format("sample%s", s->m.desc->render_suffix);
}

static mm_status others(const char *name, mm_error *e)
{
	DIR *d = opendir(".");
	mm_status status = MM_OK;
	for (const struct dirent *entry; d && status == MM_OK && (entry = readdir(d));)
		if (entry->d_name[0] != '.' ? strcmp(entry->d_name, name)
		                            : strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			status =
				mmi_subject_blame(e, "render leaves the file '%.200s' besides the one it was asked for", entry->d_name);
	if (d)
		closedir(d);
	return status;
}

static mm_status render_one(mmi_subject *s, const char *name, mm_error *e)
{
	mmi_guarded *x[2] = { NULL };
	struct stat st;
	for (uint64_t i = 0; i < SOME; i++) {
		MMI_TRY(sample_and_copy(s, i, x, e));
		remove(name);
		MMI_TRY(mmi_modality_render(&s->m, floats(x[0]), name, e));
		MMI_TRY(unchanged("render", x, e));
		MMI_TRY(others(name, e));
		if (lstat(name, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size == 0)
			return mmi_subject_blame(e, "render returns MM_OK, and what is there is no file with contents");
	}
	return MM_OK;
}

mm_status mmi_test_render(mmi_subject *s, mm_error *e)
{
	char *name = rendered_name(s);
	mm_status status = name ? render_one(s, name, e) : mmi_fail(e, MM_ENOMEM, "out of memory");
	mmi_free(name);
	return status;
}

static mm_status render_to(mmi_subject *s, const float *x, const char *path, const char *where, mm_error *e)
{
	mmi_call call;
	mmi_call_begin(&call, s->m.name, s->m.plugin, "render");
	mm_error answer = MM_ERROR_INIT;
	mm_status status = mmi_call_end(&call, s->m.desc->render(s->m.instance, x, path, &call.error), &answer);
	if (status == MM_OK)
		return mmi_subject_blame(e, "render returns MM_OK where it can write nothing: %s", where);
	return strstr(answer.message, "the plugin gave no text")
	           ? mmi_subject_blame(e, "render fails without a text: %s", where)
	           : MM_OK;
}

/* Every write fails, as on a full disk. */
static mm_status render_to_full(mmi_subject *s, const float *x, const char *name, mm_error *e)
{
	struct rlimit before, none;
	struct sigaction ignore = { .sa_handler = SIG_IGN }, usual;
	getrlimit(RLIMIT_FSIZE, &before);
	none = before;
	none.rlim_cur = 0;
	sigaction(SIGXFSZ, &ignore, &usual);
	setrlimit(RLIMIT_FSIZE, &none);
	mm_status status = render_to(s, x, name, "a full disk", e);
	setrlimit(RLIMIT_FSIZE, &before);
	sigaction(SIGXFSZ, &usual, NULL);
	return status;
}

mm_status mmi_test_render_fails(mmi_subject *s, mm_error *e)
{
	mmi_guarded *x;
	MMI_TRY(mmi_subject_sample_block(s, "the sample", &x, e));
	mmi_subject_invent(s, 0, floats(x));
	MMI_TRY(render_to(s, floats(x), "no/such/folder/sample", "a folder that is not there", e));
	MMI_TRY(render_to(s, floats(x), ".", "a folder's name", e));
	char *name = rendered_name(s);
	mm_status status = name ? render_to_full(s, floats(x), name, e) : mmi_fail(e, MM_ENOMEM, "out of memory");
	mmi_free(name);
	return status;
}

mm_status mmi_use_file(mmi_subject *s, const char *path, mmi_guarded *to, mm_error *e)
{
	mmi_call call;
	mmi_contract_poison(to->at, to->bytes);
	mmi_call_begin(&call, s->m.name, s->m.plugin, "read_file");
	MMI_TRY(mmi_call_end(&call, s->m.file->read_file(s->m.instance, path, floats(to), &call.error), e));
	return mmi_guarded_check(to, e);
}

static mm_status render_for_reading(mmi_subject *s, const char *name, mm_error *e)
{
	mmi_guarded *x[2] = { NULL };
	mm_error answer = MM_ERROR_INIT;
	MMI_TRY(sample_and_copy(s, 0, x, e));
	if (mmi_modality_render(&s->m, floats(x[0]), name, &answer) != MM_OK)
		return mmi_subject_skip(s, e, "nothing could be rendered to be read");
	return MM_OK;
}

static mm_status read_back(mmi_subject *s, const char *name, mm_error *e)
{
	mmi_guarded *x;
	mm_error answer = MM_ERROR_INIT;
	MMI_TRY(mmi_subject_sample_block(s, "the room for a sample", &x, e));
	MMI_TRY(render_for_reading(s, name, e));
	if (mmi_use_file(s, name, x, &answer) != MM_OK)
		return mmi_subject_warn(s, e, "read_file refuses what render wrote: %.400s", answer.message);
	return mmi_contract_values(&s->m, "read_file", NULL, floats(x), e);
}

mm_status mmi_test_read_file(mmi_subject *s, mm_error *e)
{
	if (!s->m.file)
		return mmi_subject_skip(s, e, "it has no " MM_MODALITY_FILE);
	char *name = rendered_name(s);
	mm_status status = name ? read_back(s, name, e) : mmi_fail(e, MM_ENOMEM, "out of memory");
	mmi_free(name);
	return status;
}

static mm_status write_file(const char *path, const unsigned char *bytes, size_t n, mm_error *e)
{
	FILE *f = fopen(path, "wb");
	const bool ok = f && fwrite(bytes, 1, n, f) == n;
	if (f)
		fclose(f);
	return ok ? MM_OK : mmi_fail(e, MM_EIO, "cannot write %s", path);
}

/* Whatever it says, it says so, and what it takes for a sample is one. */
static mm_status read_junk(mmi_subject *s, const char *path, const char *what, mmi_guarded *x, mm_error *e)
{
	mm_error answer = MM_ERROR_INIT;
	mm_status status = mmi_use_file(s, path, x, &answer);
	MMI_TRY(mmi_guarded_check(x, e));
	if (status != MM_OK && strstr(answer.message, "the plugin gave no text"))
		return mmi_subject_blame(e, "read_file of %s fails without a text", what);
	if (status == MM_OK && mmi_contract_values(&s->m, "read_file", NULL, floats(x), &answer) != MM_OK)
		return mmi_subject_blame(e, "read_file of %s returns MM_OK and no sample: %.350s", what, answer.message);
	return MM_OK;
}

static mm_status read_damaged(mmi_subject *s, const char *name, mmi_guarded *x, mm_error *e)
{
	enum { CUTS = 8, FLIPS = 64, RANDOM = 4, LARGEST = 1 << 20 };
	const double until = mmi_subject_clock() + s->request->limit / 8;
	unsigned char *bytes = mmi_alloc(LARGEST, 1);
	FILE *f = bytes ? fopen(name, "rb") : NULL;
	const size_t n = f ? fread(bytes, 1, LARGEST, f) : 0;
	mm_status status = n ? MM_OK : mmi_subject_skip(s, e, "nothing could be rendered to be read");
	if (f)
		fclose(f);
	for (int k = 0; k < CUTS + FLIPS + RANDOM && status == MM_OK && mmi_subject_clock() < until; k++) {
		const size_t at = mmi_subject_word(s) % (n ? n : 1), cut = k < CUTS ? n * (size_t)k / CUTS : n;
		const unsigned char was = bytes[at];
		if (k >= CUTS)
			bytes[at] ^= (unsigned char)(1u << mmi_subject_word(s) % 8);
		for (size_t i = 0; k >= CUTS + FLIPS && i < n; i++)
			bytes[i] = (unsigned char)mmi_subject_word(s);
		status = write_file(name, bytes, cut, e);
		if (status == MM_OK)
			status = read_junk(s, name, k < CUTS ? "a file that is cut off" : "a damaged file", x, e);
		if (k < CUTS + FLIPS)
			bytes[at] = was;
	}
	mmi_free(bytes);
	return status;
}

/* No file of a user's takes more memory than a sample needs; the process may have some more. */
static void limit_memory(const mmi_subject *s)
{
	const rlim_t most = (rlim_t)8 << 30;
	struct rlimit r;
	if (!s->request->in_process && getrlimit(RLIMIT_AS, &r) == 0 && r.rlim_cur > most) {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
		r.rlim_cur = most;
		setrlimit(RLIMIT_AS, &r);
#endif
	}
}

static mm_status read_all_junk(mmi_subject *s, const char *name, mm_error *e)
{
	mmi_guarded *x;
	limit_memory(s);
	MMI_TRY(mmi_subject_sample_block(s, "the room for a sample", &x, e));
	MMI_TRY(read_junk(s, "no-such-file", "a file that is not there", x, e));
	MMI_TRY(read_junk(s, ".", "a folder", x, e));
	MMI_TRY(read_junk(s, "/dev/null", "an empty file", x, e));
	MMI_TRY(read_junk(s, "/dev/zero", "a file without end", x, e));
	MMI_TRY(write_file(name, (const unsigned char *)"x", 1, e));
	MMI_TRY(read_junk(s, name, "a file of one byte", x, e));
	remove(name);
	MMI_TRY(render_for_reading(s, name, e));
	return read_damaged(s, name, x, e);
}

mm_status mmi_test_read_junk(mmi_subject *s, mm_error *e)
{
	if (!s->m.file)
		return mmi_subject_skip(s, e, "it has no " MM_MODALITY_FILE);
	char *name = rendered_name(s);
	mm_status status = name ? read_all_junk(s, name, e) : mmi_fail(e, MM_ENOMEM, "out of memory");
	mmi_free(name);
	return status;
}
