/* texts.c - samples that are texts. */
#include "mmi_build.h"

#include "trained/texts.h"

#include "store/files.h"

#include <string.h>
#include <unistd.h>

#define TEXT_LIMIT (1u << 20) /* bytes */

struct mmi_texts {
	char *folder, *file;
};

bool mmi_is_text(const mmi_modality *m)
{
	return !strcmp(m->desc->render_suffix, ".txt");
}

mm_status mmi_text_read(const char *path, char **text, mm_error *e)
{
	size_t bytes;
	MMI_TRY(mmi_read_file(path, TEXT_LIMIT, text, &bytes, e));
	while (bytes && strchr("\r\n", (*text)[bytes - 1]))
		(*text)[--bytes] = '\0';
	return MM_OK;
}

static mm_status prepare(mmi_texts *t, mm_error *e)
{
	MMI_TRY(mmi_make_temporary("mmcore-texts", &t->folder, e));
	t->file = mmi_format("%s/sample.txt", t->folder);
	return t->file ? MM_OK : mmi_fail(e, MM_ENOMEM, "out of memory for texts");
}

mm_status mmi_texts_open(mmi_texts **out, mm_error *e)
{
	mmi_texts *t = mmi_alloc(1, sizeof *t);
	if (!t)
		return mmi_fail(e, MM_ENOMEM, "out of memory for texts");
	mm_status status = prepare(t, e);
	if (status == MM_OK)
		*out = t;
	else
		mmi_texts_close(t);
	return status;
}

void mmi_texts_close(mmi_texts *t)
{
	if (!t)
		return;
	if (t->file)
		unlink(t->file);
	if (t->folder)
		rmdir(t->folder);
	mmi_free(t->file);
	mmi_free(t->folder);
	mmi_free(t);
}

/* Files may not be there when they are written. */
mm_status mmi_texts_of(mmi_texts *t, const mmi_modality *m, const float *x, char **text, mm_error *e)
{
	unlink(t->file);
	MMI_TRY(mmi_modality_render(m, x, t->file, e));
	return mmi_text_read(t->file, text, e);
}
