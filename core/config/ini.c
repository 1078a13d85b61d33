/* ini.c - strict reading of an INI file.
 *
 * The files are iniparser's: sections, keys, values in quotes, comments behind ; and #. But iniparser accepts much that
 * is a mistake (unclosed quotes, text after a section's name, keys without a section, a comment that swallows the next
 * line with a backslash), and 4.1 crashes where memory runs out. So lines are read here, strictly; that values are
 * those that iniparser takes from such files is tested (tests/config, tests/fuzz). */
#include "mmi_build.h"

#include "config/ini.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define INI_BYTES_MAX ((size_t)1 << 20)
#define NAME_MAX_LENGTH 63
#define ENTRIES_MAX 4096 /* each is compared with all before it */

/* One "key = value" or "[section]" line. */
typedef struct entry {
	char section[NAME_MAX_LENGTH + 1], key[NAME_MAX_LENGTH + 1]; /* key empty: a section's own line */
	const char *value;                                           /* in the file's text; NULL: a section's own line */
	int line;
} entry;

typedef struct reader {
	const char *path;
	char *text;
	size_t bytes;
	entry *entries;
	size_t n, capacity;
	char section[NAME_MAX_LENGTH + 1];
	int line;
} reader;

bool mmi_ini_name_ok(const char *name, size_t length)
{
	if (length == 0 || length > NAME_MAX_LENGTH)
		return false;
	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char)name[i]) && name[i] != '_' && name[i] != '-')
			return false;
	return true;
}

bool mmi_ini_quote(const char *value, char *out, size_t size)
{
	size_t length = strlen(value);
	bool has_double = strchr(value, '"'), has_single = strchr(value, '\'');
	bool edges = length && (isspace((unsigned char)value[0]) || isspace((unsigned char)value[length - 1]));
	bool needs = length == 0 || edges || strpbrk(value, ";#") || value[0] == '"' || value[0] == '\'';

	for (const char *p = value; *p; p++)
		if (*p == '\\' || (unsigned char)*p < ' ' || *p == 127)
			return false;
	if (needs && has_double && has_single)
		return false;
	const char *quote = !needs ? "" : has_double ? "'" : "\"";
	int used = snprintf(out, size, "%s%s%s", quote, value, quote);
	return used >= 0 && (size_t)used < size;
}

static mm_status bad_line(const reader *r, mm_error *e, const char *what)
{
	return mmi_fail(e, MM_ECONFIG, "%s:%d: %s", r->path, r->line, what);
}

/* What was found is shown: the character that is wrong may be one that editors do not show. */
static mm_status bad_name(const reader *r, const char *begin, const char *end, const char *what, mm_error *e)
{
	char shown[128];
	return mmi_fail(e, MM_ECONFIG, "%s:%d: %s; found \"%s\"", r->path, r->line, what,
	                mmi_show(begin, (size_t)(end - begin), shown, sizeof shown));
}

/* ---------------------------------------------------------------- the file's bytes */

static mm_status check_file(FILE *file, const char *path, size_t *bytes, mm_error *e)
{
	struct stat st;

	if (fstat(fileno(file), &st) != 0)
		return mmi_fail(e, MM_EIO, "%s: %s", path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return mmi_fail(e, MM_EIO, "%s: is a folder, expected an INI file", path);
	if (!S_ISREG(st.st_mode))
		return mmi_fail(e, MM_EIO, "%s: is not a regular file", path);
	if (st.st_size < 0 || (uint64_t)st.st_size > INI_BYTES_MAX)
		return mmi_fail(e, MM_EFORMAT, "%s: %lld bytes are too many for an INI file (at most %zu)", path,
		                (long long)st.st_size, INI_BYTES_MAX);
	*bytes = (size_t)st.st_size;
	return MM_OK;
}

static mm_status slurp(reader *r, mm_error *e)
{
	FILE *file = fopen(r->path, "rb");
	if (!file)
		return mmi_fail(e, mmi_errno_status(errno), "%s: cannot be opened: %s", r->path, strerror(errno));
	mm_status status = check_file(file, r->path, &r->bytes, e);
	if (status == MM_OK && !(r->text = mmi_alloc(r->bytes + 1, 1)))
		status = mmi_fail(e, MM_ENOMEM, "%s: out of memory", r->path);
	if (status == MM_OK && fread(r->text, 1, r->bytes, file) != r->bytes)
		status = mmi_fail(e, MM_EIO, "%s: cannot be read: %s", r->path, ferror(file) ? strerror(errno) : "it shrank");
	fclose(file);
	return status;
}

/* ---------------------------------------------------------------- one line */

static const char *skip_blanks(const char *p)
{
	while (*p == ' ' || *p == '\t')
		p++;
	return p;
}

static void copy_lower(char *out, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		out[i] = (char)tolower((unsigned char)text[i]);
	out[length] = 0;
}

static mm_status add_entry(reader *r, const char *key, size_t length, const char *value, mm_error *e)
{
	if (r->n == ENTRIES_MAX)
		return mmi_fail(e, MM_EFORMAT, "%s:%d: more than %d keys and sections; this is no file of settings", r->path,
		                r->line, ENTRIES_MAX);
	if (r->n == r->capacity) {
		size_t more = r->capacity ? 2 * r->capacity : 64;
		entry *grown = mmi_grow(r->entries, r->n, more, sizeof *grown);
		if (!grown)
			return mmi_fail(e, MM_ENOMEM, "%s: out of memory", r->path);
		r->entries = grown;
		r->capacity = more;
	}
	entry *new_entry = &r->entries[r->n++];
	memcpy(new_entry->section, r->section, sizeof r->section);
	copy_lower(new_entry->key, key, length);
	new_entry->value = value;
	new_entry->line = r->line;
	return MM_OK;
}

static mm_status section_line(reader *r, const char *text, mm_error *e)
{
	const char *close = strchr(text, ']');
	if (!close)
		return bad_line(r, e, "a section's name must end with ]");
	const char *begin = skip_blanks(text + 1), *end = close;
	while (end > begin && isblank((unsigned char)end[-1]))
		end--;
	if (!mmi_ini_name_ok(begin, (size_t)(end - begin)))
		return bad_name(r, begin, end, "a section's name is 1 to 63 letters, digits, _ or -", e);
	if (*skip_blanks(close + 1))
		return bad_line(r, e, "nothing may follow a section's name; put the comment on a line of its own");
	copy_lower(r->section, begin, (size_t)(end - begin));
	return add_entry(r, "", 0, NULL, e);
}

/* Ends the value where its quote or a comment ends it; *value is then without quotes. */
static mm_status take_value(const reader *r, char **value, mm_error *e)
{
	char *begin = *value, *end = begin + strcspn(begin, ";#");

	if (*begin == '"' || *begin == '\'') {
		const char quote = *begin++;
		end = strchr(begin, quote);
		if (!end)
			return bad_line(r, e, "the value's quote is not closed");
		const char *rest = skip_blanks(end + 1);
		if (*rest && *rest != ';' && *rest != '#')
			return bad_line(r, e, "only a comment may follow the value's closing quote");
	} else {
		while (end > begin && isblank((unsigned char)end[-1]))
			end--;
	}
	if (memchr(begin, '\\', (size_t)(end - begin)))
		return bad_line(r, e, "a value cannot hold a backslash");
	*end = 0;
	*value = begin;
	return MM_OK;
}

static mm_status key_line(reader *r, char *text, mm_error *e)
{
	char *equals = strchr(text, '=');
	if (!equals)
		return bad_line(r, e, "expected \"key = value\", \"[section]\" or a comment (; or #)");
	const char *end = equals;
	while (end > text && isblank((unsigned char)end[-1]))
		end--;
	if (!mmi_ini_name_ok(text, (size_t)(end - text)))
		return bad_name(r, text, end, "a key is 1 to 63 letters, digits, _ or -", e);
	if (!r->section[0])
		return bad_line(r, e, "a key stands before the first [section]");
	char *value = equals + 1 + strspn(equals + 1, " \t");
	MMI_TRY(take_value(r, &value, e));
	return add_entry(r, text, (size_t)(end - text), value, e);
}

/* The line is NUL-terminated and free of its newline. */
static mm_status check_line(reader *r, char *text, size_t length, mm_error *e)
{
	if (memchr(text, 0, length))
		return bad_line(r, e, "the line holds a NUL byte; this is not a text file");
	if (length > MMI_INI_LINE_MAX)
		return bad_line(r, e, "the line is longer than 1000 bytes");
	while (length && isspace((unsigned char)text[length - 1]))
		text[--length] = 0;
	for (size_t i = 0; i < length; i++)
		if (((unsigned char)text[i] < ' ' && text[i] != '\t') || text[i] == 127)
			return bad_line(r, e, "the line holds a control character");
	if (length && text[length - 1] == '\\')
		return bad_line(r, e, "a line cannot end with a backslash (lines are not continued)");
	char *begin = text + strspn(text, " \t");
	if (!*begin || *begin == ';' || *begin == '#')
		return MM_OK;
	return *begin == '[' ? section_line(r, begin, e) : key_line(r, begin, e);
}

static mm_status check_lines(reader *r, mm_error *e)
{
	char *end = r->text + r->bytes;
	for (char *line = r->text; line < end;) {
		char *newline = memchr(line, '\n', (size_t)(end - line));
		char *stop = newline ? newline : end;
		*stop = 0;
		r->line++;
		MMI_TRY(check_line(r, line, (size_t)(stop - line), e));
		line = stop + 1;
	}
	return MM_OK;
}

/* ---------------------------------------------------------------- the whole */

static mm_status read_text(reader *r, mmi_ini_visit visit, void *ctx, mm_error *e)
{
	size_t mark;

	MMI_TRY(mmi_text_begin(r->path, r->text, r->bytes, &mark, e));
	memset(r->text, ' ', mark);
	MMI_TRY(check_lines(r, e));
	for (size_t i = 0; i < r->n; i++) {
		const entry *x = &r->entries[i];
		MMI_TRY(visit(ctx, x->section, x->key[0] ? x->key : NULL, x->value, x->line, e));
	}
	return MM_OK;
}

static mm_status finish(reader *r, mm_status status)
{
	mmi_free(r->entries);
	mmi_free(r->text);
	return status;
}

mm_status mmi_ini_read(const char *path, mmi_ini_visit visit, void *ctx, mm_error *e)
{
	reader r = { .path = path };
	mm_status status = slurp(&r, e);
	return finish(&r, status == MM_OK ? read_text(&r, visit, ctx, e) : status);
}

mm_status mmi_ini_read_text(const char *name, const char *text, mmi_ini_visit visit, void *ctx, mm_error *e)
{
	reader r = { .path = name, .bytes = strlen(text) };
	mm_status status;

	if (r.bytes > INI_BYTES_MAX)
		status = mmi_fail(e, MM_EFORMAT, "%s: settings of %zu bytes (at most %zu)", name, r.bytes, INI_BYTES_MAX);
	else if (!(r.text = mmi_strdup(text)))
		status = mmi_fail(e, MM_ENOMEM, "%s: out of memory", name);
	else
		status = read_text(&r, visit, ctx, e);
	return finish(&r, status);
}
