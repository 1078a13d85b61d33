/* given.c - a caption that a user names: the words themselves, or a file with them. */
#include "mmi_build.h"

#include "fit.h"

#include <string.h>

enum { FILE_MAX = 1 << 16 };

/* What of a caption the model does not see. */
static void report_loss(const mm_instance *i, const char *caption, const txt_words *words)
{
	if (words->unknown)
		mma_log(i->host, MM_LOG_WARNING,
		        "[%s] \"%s\" is not in the vocabulary of %u words and counts as unknown (%u of %u words are: "
		        "%.0f %%)",
		        i->source.instance, words->first, i->vocabulary.n - TXT_FIRST_WORD, words->unknown, words->n,
		        100.0 * (double)words->unknown / (double)words->n);
	if (words->n >= (uint32_t)i->length)
		mma_log(i->host, MM_LOG_WARNING,
		        "[%s] \"%.60s...\" has %u words, of which the first %d are read: the model has length = %d",
		        i->source.instance, caption, words->n, (int)i->length - 1, (int)i->length);
}

static mm_status read_text(mm_instance *i, const char *caption, float *out, mm_error *e)
{
	txt_words words;
	txt_count_words(i, caption, &words);
	if (words.unknown == words.n)
		return mma_fail(e, MM_EFORMAT, "none of the words of \"%.80s\" is among the %u the model was trained with",
		                caption, i->vocabulary.n - TXT_FIRST_WORD);
	uint32_t *ids = mma_new(i->host, (size_t)i->length, sizeof(*ids));
	if (!ids)
		return mma_no_memory(e, "a caption");
	report_loss(i, caption, &words);
	txt_encode(i, caption, ids);
	txt_expand(i, ids, out);
	mma_free(i->host, ids);
	return MM_OK;
}

/* One caption, or with captions = join all of them: lines, as in the data. */
static mm_status read_lines(mm_instance *i, com_text *t, float *out, mm_error *e)
{
	char *line, caption[FILE_MAX + 1] = "";
	size_t length, used = 0;
	while (com_text_line(t, &line, &length)) {
		for (size_t k = 0; k < length; k++)
			line[k] = line[k] ? line[k] : ' ';
		size_t blanks = 0;
		while (blanks < length && strchr(" \t", line[blanks]))
			blanks++;
		if (blanks == length)
			continue;
		if (used && i->source.captions != PAIRS_JOIN)
			return mma_fail(e, MM_EFORMAT, "%s:%u: a second caption; expected one line", t->path, (unsigned)t->number);
		if (used + length + 2 > FILE_MAX)
			break; /* far beyond any caption's length */
		memcpy(caption + used, used ? ", " : "", used ? 2 : 0);
		used += used ? 2 : 0;
		memcpy(caption + used, line, length);
		used += length;
	}
	return used ? read_text(i, caption, out, e) : mma_fail(e, MM_EFORMAT, "%s: holds no caption", t->path);
}

static mm_status read_file(mm_instance *i, const char *path, float *out, mm_error *e)
{
	com_text text;
	MMA_TRY(com_text_open(i->host, path, FILE_MAX, &text, e));
	mm_status status = read_lines(i, &text, out, e);
	com_text_close(i->host, &text);
	return status;
}

const mm_modality_file txt_file = {
	.struct_size = MM_SIZE_THROUGH(mm_modality_file, read_text),
	.read_file = read_file,
	.read_text = read_text,
};
