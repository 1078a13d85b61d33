/* json.c - JSON that nobody vouches for. */
#include "mmi_build.h"

#include "store/json.h"

#include <errno.h>
#include <string.h>

/* What the parser would let through, or take too much memory for. */
static mm_status scan(const char *text, size_t bytes, const char *what, int max_depth, size_t max_values, mm_error *e)
{
	int depth = 0;
	size_t values = 0;
	bool quoted = false;

	for (size_t i = 0; i < bytes; i++) {
		unsigned char c = (unsigned char)text[i];
		if (quoted) {
			if (c < 0x20)
				return mmi_fail(e, MM_EFORMAT, "control character %d in a string at byte %zu of the %s", c, i, what);
			if (c == '\\' && bytes - i > 5 && !memcmp(text + i, "\\u0000", 6))
				return mmi_fail(e, MM_EFORMAT, "NUL in a string at byte %zu of the %s", i, what);
			i += c == '\\';
			quoted = c != '"';
		} else if (c == '"') {
			quoted = true;
		} else if (!c) {
			return mmi_fail(e, MM_EFORMAT, "NUL at byte %zu of the %s", i, what);
		} else if (c == '{' || c == '[') {
			if (++depth > max_depth)
				return mmi_fail(e, MM_EFORMAT, "%s nested deeper than %d levels at byte %zu", what, max_depth, i);
			if (++values > max_values)
				return mmi_fail(e, MM_EFORMAT, "%s of more than %zu values", what, max_values);
		} else if (c == '}' || c == ']') {
			depth--;
		} else if (c == ',' && ++values > max_values) {
			return mmi_fail(e, MM_EFORMAT, "%s of more than %zu values", what, max_values);
		}
	}
	return MM_OK;
}

mm_status mmi_json_parse(const char *text, size_t bytes, const char *what, int depth, size_t values, cJSON **out,
                         mm_error *e)
{
	const char *end = text;

	MMI_TRY(scan(text, bytes, what, depth, values, e));
	errno = 0; /* the parser returns NULL for what is wrong and for what it has no memory for */
	cJSON *json = cJSON_ParseWithLengthOpts(text, bytes, &end, false);
	if (!json && errno == ENOMEM)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a %s of %zu bytes", what, bytes);
	if (!json)
		return mmi_fail(e, MM_EFORMAT, "%s is not valid JSON near byte %td of %zu", what, end - text, bytes);
	size_t parsed = (size_t)(end - text);
	for (; parsed < bytes; parsed++)
		if (!strchr(" \t\r\n", text[parsed])) {
			cJSON_Delete(json);
			return mmi_fail(e, MM_EFORMAT, "%s goes on behind its JSON object at byte %zu of %zu", what, parsed, bytes);
		}
	*out = json;
	return MM_OK;
}
