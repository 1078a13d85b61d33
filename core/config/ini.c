/* ini.c - strict reading of an INI file.
 *
 * iniparser accepts much that is a mistake: unclosed quotes, text after a section's name, keys without a section, a
 * comment that swallows the next line with a backslash. The lines are therefore checked first, which also gives line
 * numbers and file order, and only files without such surprises reach iniparser. */
#include "mmi_build.h"

#include "config/ini.h"

#include <ctype.h>
#include <errno.h>
#include <iniparser/iniparser.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define INI_BYTES_MAX ((size_t)1 << 20)
#define NAME_MAX_LENGTH 63
#define ENTRIES_MAX 4096 /* iniparser looks through all keys for each: ten thousands take minutes */

/* One "key = value" or "[section]" line, before iniparser is asked for the value. */
typedef struct entry {
	char section[NAME_MAX_LENGTH + 1], key[NAME_MAX_LENGTH + 1]; /* key empty: a section's own line */
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

/* Documents name presets as the sources have them, configs/NAME.ini: where that one was installed. */
static mm_status not_opened(const char *path, int why, mm_error *e)
{
	const char *name = strncmp(path, "configs/", 8) ? path : path + 8;
	char *preset = path[0] == '/' ? NULL : mmi_format("%s/%s", MMCORE_PRESETDIR, name);
	const bool there = preset && why == ENOENT && access(preset, R_OK) == 0;
	mm_status status = mmi_fail(e, mmi_errno_status(why), "%s: cannot be opened: %s%s%s", path, strerror(why),
	                            there ? "; a preset of that name is " : "", there ? preset : "");
	mmi_free(preset);
	return status;
}

static mm_status slurp(reader *r, mm_error *e)
{
	FILE *file = fopen(r->path, "rb");
	if (!file)
		return not_opened(r->path, errno, e);
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

static mm_status add_entry(reader *r, const char *key, size_t length, mm_error *e)
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
	return add_entry(r, "", 0, e);
}

static mm_status check_value(const reader *r, const char *value, mm_error *e)
{
	size_t length = strcspn(value, ";#");

	if (*value == '"' || *value == '\'') {
		const char *close = strchr(value + 1, *value);
		if (!close)
			return bad_line(r, e, "the value's quote is not closed");
		const char *rest = skip_blanks(close + 1);
		if (*rest && *rest != ';' && *rest != '#')
			return bad_line(r, e, "only a comment may follow the value's closing quote");
		length = (size_t)(close - value);
	}
	if (memchr(value, '\\', length))
		return bad_line(r, e, "a value cannot hold a backslash");
	return MM_OK;
}

static mm_status key_line(reader *r, const char *text, mm_error *e)
{
	const char *equals = strchr(text, '=');
	if (!equals)
		return bad_line(r, e, "expected \"key = value\", \"[section]\" or a comment (; or #)");
	const char *end = equals;
	while (end > text && isblank((unsigned char)end[-1]))
		end--;
	if (!mmi_ini_name_ok(text, (size_t)(end - text)))
		return bad_name(r, text, end, "a key is 1 to 63 letters, digits, _ or -", e);
	if (!r->section[0])
		return bad_line(r, e, "a key stands before the first [section]");
	MMI_TRY(check_value(r, skip_blanks(equals + 1), e));
	return add_entry(r, text, (size_t)(end - text), e);
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
	const char *begin = skip_blanks(text);
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

/* ---------------------------------------------------------------- values */

static int quiet(const char *format, ...)
{
	(void)format;
	return 0;
}

static mm_status visit_values(const reader *r, const dictionary *values, mmi_ini_visit visit, void *ctx, mm_error *e)
{
	for (size_t i = 0; i < r->n; i++) {
		const entry *x = &r->entries[i];
		char name[2 * (NAME_MAX_LENGTH + 1)];
		const char *value = NULL;

		if (x->key[0]) {
			snprintf(name, sizeof name, "%s:%s", x->section, x->key);
			value = iniparser_getstring(values, name, NULL);
			if (!value)
				return mmi_fail(e, MM_EFORMAT, "%s:%d: [%s] %s cannot be parsed", r->path, x->line, x->section, x->key);
		}
		MMI_TRY(visit(ctx, x->section, x->key[0] ? x->key : NULL, value, x->line, e));
	}
	return MM_OK;
}

/* iniparser 4.1 does not look whether it got memory: as much as it can need is asked for, and given back, just before.
 */
static mm_status make_room(const reader *r, mm_error *e)
{
	enum { ENTRY_BYTES = 512, FIXED_BYTES = 1 << 16 };
	void *room = mmi_alloc(2 * r->bytes + r->n * ENTRY_BYTES + FIXED_BYTES, 1);
	mmi_free(room);
	return room ? MM_OK : mmi_fail(e, MM_ENOMEM, "%s: out of memory", r->path);
}

/* iniparser has one callback for all threads, which prints by default. */
static pthread_mutex_t parsing = PTHREAD_MUTEX_INITIALIZER;

/* iniparser 4.1 reads nothing but files: it gets one that has no name and never leaves memory. */
static mm_status read_values(reader *r, int fd, mmi_ini_visit visit, void *ctx, mm_error *e)
{
	char file[64];
	size_t mark;

	MMI_TRY(mmi_text_begin(r->path, r->text, r->bytes, &mark, e));
	memset(r->text, ' ', mark);
	if (fd < 0 || write(fd, r->text, r->bytes) != (ssize_t)r->bytes)
		return mmi_fail(e, mmi_errno_status(errno), "%s: the settings cannot be read from memory: %s", r->path,
		                strerror(errno));
	MMI_TRY(check_lines(r, e));
	MMI_TRY(make_room(r, e));
	snprintf(file, sizeof file, "/proc/self/fd/%d", fd);
	pthread_mutex_lock(&parsing);
	iniparser_set_error_callback(quiet);
	errno = 0;
	dictionary *values = iniparser_load(file);
	int error = errno;
	iniparser_set_error_callback(NULL);
	pthread_mutex_unlock(&parsing);
	if (!values || error == ENOMEM) {
		iniparser_freedict(values);
		return error == ENOMEM ? mmi_fail(e, MM_ENOMEM, "%s: out of memory", r->path)
		                       : mmi_fail(e, MM_EFORMAT, "%s: iniparser refuses the file", r->path);
	}
	mm_status status = visit_values(r, values, visit, ctx, e);
	iniparser_freedict(values);
	return status;
}

static mm_status read_text(reader *r, mmi_ini_visit visit, void *ctx, mm_error *e)
{
	int fd = memfd_create("settings", MFD_CLOEXEC);
	mm_status status = read_values(r, fd, visit, ctx, e);
	if (fd >= 0)
		close(fd);
	return status;
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
