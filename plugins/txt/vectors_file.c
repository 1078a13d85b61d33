/* vectors_file.c - word vectors of word2vec, fastText and GloVe in their text forms: a word and its numbers on each
 * line, before them, but for GloVe, a line with the number of words and of dimensions; and in word2vec's binary form:
 * that line, then each word, a blank, and its numbers as float32. All of them as they are or in gzip. */
#include "mmi_build.h"

#include "embedding.h"
#include "kinds.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { LINE_BYTES = 1 << 16, DIM_MAX = 1000, PEEK = 4096 };

typedef struct reader {
	const mma_host *host;
	const txt_vocabulary *vocabulary;
	const char *path;
	gzFile file;
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

/* The first vector says how long they are. */
static mm_status begin(reader *r, int64_t dim, int32_t wanted, mm_error *e)
{
	if (dim < 2 || dim > DIM_MAX)
		return mma_fail(e, MM_EFORMAT, "%s:%llu: a word with %lld numbers; expected 2 to %d", r->path, r->number,
		                (long long)dim, DIM_MAX);
	if (wanted && wanted != dim + EMBEDDING_OWN)
		return mma_fail(
			e, MM_ECONFIG,
			"%s has vectors of %d numbers, so dim is %d (two more, for the end and padding), but %d is set; "
			"leave dim out",
			r->path, (int)dim, (int)dim + EMBEDDING_OWN, (int)wanted);
	r->dim = (int32_t)dim;
	r->vector = mma_new(r->host, (size_t)r->vocabulary->n * (size_t)(dim + EMBEDDING_OWN), sizeof(*r->vector));
	return r->vector ? MM_OK : mma_no_memory(e, "word vectors");
}

/* Where a word's vector goes; NULL: nowhere, nobody says the word or it has one. */
static float *place_of(reader *r, const char *word)
{
	const uint32_t i = txt_vocabulary_find(r->vocabulary, word);
	if (i < TXT_FIRST_WORD || r->found[i])
		return NULL;
	r->found[i] = true;
	return r->vector + (size_t)i * (size_t)(r->dim + EMBEDDING_OWN);
}

static mm_status read_numbers(const reader *r, char *at, float *out, mm_error *e)
{
	for (int32_t k = 0; k < r->dim; k++) {
		char *end;
		float value = strtof(at, &end);
		if (end == at || !isfinite(value))
			return mma_fail(e, MM_EFORMAT, "%s:%llu: expected a word and %d numbers", r->path, r->number, (int)r->dim);
		out[k] = value;
		at = end;
	}
	if (at[strspn(at, " \t")])
		return mma_fail(e, MM_EFORMAT, "%s:%llu: more than a word and %d numbers", r->path, r->number, (int)r->dim);
	return MM_OK;
}

static mm_status take_line(reader *r, int32_t wanted, mm_error *e)
{
	if (!r->dim)
		MMA_TRY(begin(r, count_fields(r->line) - 1, wanted, e));
	char *end = r->line + strcspn(r->line, " \t");
	bool more = *end != 0;
	*end = 0;
	float *to = place_of(r, r->line);
	return to ? read_numbers(r, end + more, to, e) : MM_OK;
}

/* What ended the reading, if it was not the file's end. */
static mm_status check_stream(const reader *r, mm_error *e)
{
	int code = Z_OK;
	const char *why = gzerror(r->file, &code);
	if (code == Z_OK || code == Z_STREAM_END)
		return MM_OK;
	return mma_fail(e, code == Z_ERRNO ? MM_EIO : MM_EFORMAT, "%s: cannot be read: %s", r->path,
	                code == Z_ERRNO ? strerror(errno) : why);
}

static mm_status clean_line(reader *r, mm_error *e)
{
	size_t length = strcspn(r->line, "\n");
	r->number++;
	if (!r->line[length] && length == LINE_BYTES - 1)
		return mma_fail(e, MM_EFORMAT, "%s:%llu: a line of more than %d bytes; expected a word and its vector", r->path,
		                r->number, LINE_BYTES - 2);
	if (r->number == 1) {
		size_t skip;
		MMA_TRY(com_text_begin(r->path, r->line, length, &skip, e));
		memmove(r->line, r->line + skip, length -= skip);
	}
	r->line[length] = 0;
	if (length && r->line[length - 1] == '\r')
		r->line[length - 1] = 0;
	return MM_OK;
}

/* ---------------------------------------------------------------- word2vec's binary form */

/* Numbers hold bytes that no text has. */
static bool numbers_follow(reader *r)
{
	unsigned char bytes[PEEK];
	const z_off_t here = gztell(r->file);
	const int n = gzread(r->file, bytes, sizeof(bytes));
	gzseek(r->file, here, SEEK_SET);
	for (int i = 0; i < n; i++)
		if (bytes[i] < 32 && !strchr("\t\n\v\f\r", bytes[i] ? bytes[i] : 1))
			return true;
	return false;
}

/* Up to the blank; false: the file ends. */
static bool read_word(reader *r)
{
	size_t n = 0;
	int c = gzgetc(r->file);
	while (c == '\n')
		c = gzgetc(r->file);
	for (; c >= 0 && c != ' '; c = gzgetc(r->file))
		if (n + 1 < LINE_BYTES)
			r->line[n++] = (char)c;
	r->line[n] = 0;
	return c == ' ';
}

static mm_status take_binary(reader *r, float *values, mm_error *e)
{
	const unsigned bytes = (unsigned)r->dim * (unsigned)sizeof(*values);
	r->number++;
	if (!read_word(r) || gzread(r->file, values, bytes) != (int)bytes) {
		MMA_TRY(check_stream(r, e));
		return mma_fail(e, MM_EFORMAT, "%s: ends within its word %llu; copy or download it again", r->path, r->number);
	}
	float *to = place_of(r, r->line);
	for (int32_t k = 0; to && k < r->dim; k++) {
		if (!isfinite(values[k]))
			return mma_fail(e, MM_EFORMAT, "%s: word %llu: number %d is %g", r->path, r->number, (int)k + 1,
			                (double)values[k]);
		to[k] = values[k];
	}
	return MM_OK;
}

static mm_status read_binary(reader *r, int32_t wanted, mm_error *e)
{
	long long words = 0, dim = 0;
	if (sscanf(r->line, "%lld %lld", &words, &dim) != 2 || words < 1)
		return mma_fail(e, MM_EFORMAT, "%s: begins with '%.40s', expected the numbers of words and of dimensions",
		                r->path, r->line);
	MMA_TRY(begin(r, dim, wanted, e));
	float *values = mma_new(r->host, (size_t)dim, sizeof(*values));
	mm_status status = values ? MM_OK : mma_no_memory(e, "a word vector");
	r->number = 0;
	for (long long i = 0; status == MM_OK && i < words; i++)
		status = take_binary(r, values, e);
	mma_free(r->host, values);
	return status;
}

/* ---------------------------------------------------------------- the file */

static mm_status read_lines(reader *r, int32_t wanted, mm_error *e)
{
	while (gzgets(r->file, r->line, LINE_BYTES)) {
		MMA_TRY(clean_line(r, e));
		const bool header = r->number == 1 && is_header(r->line);
		if (header && numbers_follow(r))
			return read_binary(r, wanted, e);
		if (r->line[0] && !header)
			MMA_TRY(take_line(r, wanted, e));
	}
	MMA_TRY(check_stream(r, e));
	return r->dim ? MM_OK : mma_fail(e, MM_EFORMAT, "%s: holds no vectors", r->path);
}

/* Files that cannot be what is wanted. */
static mm_status check_kind(reader *r, mm_error *e)
{
	unsigned char start[COM_KIND_BYTES];
	const int n = gzread(r->file, start, sizeof(start));
	const char *kind = com_kind(start, n > 0 ? (size_t)n : 0);
	MMA_TRY(check_stream(r, e));
	gzrewind(r->file);
	if (!kind || start[0] == 'B' || start[0] == 'P')
		kind = n > 3 && !memcmp(start, "PK\x03\x04", 4) ? "a ZIP archive" : NULL; /* letters may begin a word */
	return !kind ? MM_OK
	             : mma_fail(
					   e, MM_EFORMAT,
					   "%s: %s; expected word vectors as text, or in word2vec's binary form, as they are or in gzip%s",
					   r->path, kind, strstr(kind, "fastText") ? "; fastText writes a .vec beside its .bin" : "");
}

static mm_status report(const reader *r, const char *instance, mm_error *e)
{
	const uint32_t words = r->vocabulary->n - TXT_FIRST_WORD;
	uint32_t missing = 0, first = 0;
	for (uint32_t i = TXT_FIRST_WORD; i < r->vocabulary->n; i++)
		if (!r->found[i] && !missing++)
			first = i;
	if (missing == words)
		return mma_fail(
			e, MM_EFORMAT,
			"%s: it has none of the %u words of the captions (first: %s); are its words of another language, or "
			"written with capitals?",
			r->path, words, r->vocabulary->word[first]);
	if (missing)
		mma_log(r->host, MM_LOG_WARNING,
		        "[%s] %u of %u words have no vector in %s (first: %s); they get random directions", instance, missing,
		        words, r->path, r->vocabulary->word[first]);
	return MM_OK;
}

mm_status txt_vectors_read(const mma_host *h, const txt_vocabulary *v, const char *path, const char *instance,
                           int32_t *dim, float **out, mm_error *e)
{
	reader r = { .host = h, .vocabulary = v, .path = path };
	errno = 0;
	r.file = gzopen(path, "rb");
	if (!r.file)
		return mma_fail(e, errno ? MM_EIO : MM_ENOMEM, "%s: %s", path, errno ? strerror(errno) : "out of memory");
	gzbuffer(r.file, 1 << 16);
	r.line = mma_new(h, LINE_BYTES, 1);
	r.found = mma_new(h, v->n, sizeof(*r.found));
	mm_status status = r.line && r.found ? check_kind(&r, e) : mma_no_memory(e, "word vectors");
	if (status == MM_OK)
		status = read_lines(&r, *dim, e);
	if (status == MM_OK)
		status = report(&r, instance, e);
	gzclose(r.file);
	if (status == MM_OK) {
		*dim = r.dim + EMBEDDING_OWN;
		txt_vectors_normalise(v, *dim, r.vector);
		*out = r.vector;
	} else {
		mma_free(h, r.vector);
	}
	mma_free(h, r.line);
	mma_free(h, r.found);
	return status;
}
