/* vectors_file.c - word vectors of word2vec, fastText and GloVe in their text forms: a word and its numbers on each
 * line, before them, but for GloVe, a line with the number of words and of dimensions. */
#include "mmi_build.h"

#include "embedding.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_BYTES = 1 << 16, DIM_MAX = 1000 };

typedef struct reader {
	const com_host *host;
	const txt_vocabulary *vocabulary;
	const char *path;
	FILE *file;
	char *line; /* [LINE_BYTES] */
	unsigned long long number;
	int32_t dim;   /* of the file; 0: not known yet */
	float *vector; /* [n][dim + EMBEDDING_OWN] */
	bool *found;   /* [n] */
} reader;

static int32_t count_fields(const char *text)
{
	int32_t n = 0;
	for (text += strspn(text, " \t"); *text; text += strspn(text, " \t")) {
		text += strcspn(text, " \t");
		n++;
	}
	return n;
}

static bool is_header(const char *line)
{
	return count_fields(line) == 2 && !line[strspn(line, "0123456789 \t")];
}

/* The first line of vectors says how long they are. */
static mm_status begin(reader *r, const char *line, int32_t wanted, mm_error *e)
{
	int32_t dim = count_fields(line) - 1;
	if (dim < 2 || dim > DIM_MAX)
		return com_fail(e, MM_EFORMAT, "%s:%llu: a word with %d numbers; expected 2 to %d", r->path, r->number,
		                (int)dim, DIM_MAX);
	if (wanted && wanted != dim + EMBEDDING_OWN)
		return com_fail(
			e, MM_ECONFIG,
			"%s has vectors of %d numbers, so dim is %d (two more, for the end and padding), but %d is set; "
			"leave dim out",
			r->path, (int)dim, (int)dim + EMBEDDING_OWN, (int)wanted);
	r->dim = dim;
	r->vector = com_alloc(r->host, (size_t)r->vocabulary->n * (size_t)(dim + EMBEDDING_OWN), sizeof(*r->vector));
	return r->vector ? MM_OK : com_no_memory(e, "word vectors");
}

static mm_status read_numbers(const reader *r, char *at, float *out, mm_error *e)
{
	for (int32_t k = 0; k < r->dim; k++) {
		char *end;
		float value = strtof(at, &end);
		if (end == at || !isfinite(value))
			return com_fail(e, MM_EFORMAT, "%s:%llu: expected a word and %d numbers", r->path, r->number, (int)r->dim);
		out[k] = value;
		at = end;
	}
	if (at[strspn(at, " \t")])
		return com_fail(e, MM_EFORMAT, "%s:%llu: more than a word and %d numbers", r->path, r->number, (int)r->dim);
	return MM_OK;
}

static mm_status take_line(reader *r, int32_t wanted, mm_error *e)
{
	if (!r->dim)
		COM_TRY(begin(r, r->line, wanted, e));
	char *end = r->line + strcspn(r->line, " \t");
	bool more = *end != 0;
	*end = 0;
	uint32_t word = txt_vocabulary_find(r->vocabulary, r->line);
	if (word < TXT_FIRST_WORD || r->found[word])
		return MM_OK;
	r->found[word] = true;
	return read_numbers(r, end + more, r->vector + (size_t)word * (size_t)(r->dim + EMBEDDING_OWN), e);
}

static mm_status read_lines(reader *r, int32_t wanted, mm_error *e)
{
	while (fgets(r->line, LINE_BYTES, r->file)) {
		size_t length = strcspn(r->line, "\n");
		r->number++;
		if (!r->line[length] && length == LINE_BYTES - 1)
			return com_fail(e, MM_EFORMAT, "%s:%llu: a line of more than %d bytes; expected a word and its vector",
			                r->path, r->number, LINE_BYTES - 2);
		if (r->number == 1) {
			size_t skip;
			COM_TRY(com_text_begin(r->path, r->line, length, &skip, e));
			memmove(r->line, r->line + skip, length -= skip);
		}
		r->line[length] = 0;
		if (length && r->line[length - 1] == '\r')
			r->line[length - 1] = 0;
		if (r->line[0] && !(r->number == 1 && is_header(r->line)))
			COM_TRY(take_line(r, wanted, e));
	}
	if (ferror(r->file))
		return com_fail(e, MM_EIO, "%s: cannot be read: %s", r->path, strerror(errno));
	return r->dim ? MM_OK : com_fail(e, MM_EFORMAT, "%s: holds no vectors", r->path);
}

static void report(const reader *r, const char *instance)
{
	uint32_t missing = 0, first = 0;
	for (uint32_t i = TXT_FIRST_WORD; i < r->vocabulary->n; i++)
		if (!r->found[i] && !missing++)
			first = i;
	if (missing)
		com_log(r->host, MM_LOG_WARNING,
		        "[%s] %u of %u words have no vector in %s (first: %s); they get random directions", instance, missing,
		        r->vocabulary->n - TXT_FIRST_WORD, r->path, r->vocabulary->word[first]);
}

mm_status txt_vectors_read(const com_host *h, const txt_vocabulary *v, const char *path, const char *instance,
                           int32_t *dim, float **out, mm_error *e)
{
	reader r = { .host = h, .vocabulary = v, .path = path, .file = fopen(path, "rb") };
	if (!r.file)
		return com_fail(e, MM_EIO, "%s: %s", path, strerror(errno));
	r.line = com_alloc(h, LINE_BYTES, 1);
	r.found = com_alloc(h, v->n, sizeof(*r.found));
	mm_status status = r.line && r.found ? read_lines(&r, *dim, e) : com_no_memory(e, "word vectors");
	fclose(r.file);
	if (status == MM_OK) {
		report(&r, instance);
		*dim = r.dim + EMBEDDING_OWN;
		txt_vectors_normalise(v, *dim, r.vector);
		*out = r.vector;
	} else {
		com_release(h, r.vector);
	}
	com_release(h, r.line);
	com_release(h, r.found);
	return status;
}
