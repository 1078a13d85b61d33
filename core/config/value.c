/* value.c - numbers and words of settings. */
#include "mmi_build.h"

#include "config/value.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define WORD_MAX 63

bool mmi_value_int(const char *text, int64_t *out)
{
	char *end;

	if (!*text || text[strspn(text, "+-0123456789")])
		return false;
	errno = 0;
	long long value = strtoll(text, &end, 10);
	if (*end || errno)
		return false;
	*out = value;
	return true;
}

/* strtod and printf follow the locale's decimal comma, which settings must not: a program that embeds the library may
 * have called setlocale. NULL when out of memory: then the current locale stays. */
static locale_t enter_plain_locale(locale_t *previous)
{
	locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	if (plain)
		*previous = uselocale(plain);
	return plain;
}

static void leave_plain_locale(locale_t plain, locale_t previous)
{
	if (!plain)
		return;
	uselocale(previous);
	freelocale(plain);
}

bool mmi_value_float(const char *text, double *out)
{
	char *end;
	locale_t previous = (locale_t)0;

	if (!*text || text[strspn(text, "+-.0123456789eE")])
		return false; /* also nan, inf and hexadecimal */
	locale_t plain = enter_plain_locale(&previous);
	double value = strtod(text, &end);
	leave_plain_locale(plain, previous);
	if (*end || end == text || !isfinite(value))
		return false;
	*out = value;
	return true;
}

bool mmi_value_bool(const char *text, bool *out)
{
	static const char *const words[] = { "no", "yes", "false", "true", "off", "on", "0", "1" };

	for (size_t i = 0; i < MMI_COUNT(words); i++)
		if (!strcasecmp(text, words[i])) {
			*out = i % 2;
			return true;
		}
	return false;
}

bool mmi_value_call(const char *text, size_t *length, bool *has_argument, double *argument)
{
	size_t word = strcspn(text, "( \t");
	const char *open = text + word + strspn(text + word, " \t");
	char number[MMI_VALUE_TEXT];

	*length = word;
	*has_argument = *open == '(';
	if (!*has_argument)
		return word && !*open;
	const char *begin = open + 1 + strspn(open + 1, " \t"), *close = strchr(begin, ')');
	if (!word || !close || close[1])
		return false;
	size_t digits = strcspn(begin, " \t)");
	if (digits >= sizeof number || begin + digits + strspn(begin + digits, " \t") != close)
		return false;
	memcpy(number, begin, digits);
	number[digits] = 0;
	return mmi_value_float(number, argument);
}

char *mmi_value_print(double value, char *out)
{
	locale_t previous = (locale_t)0, plain = enter_plain_locale(&previous);

	for (int digits = 6; digits <= 17; digits++) {
		snprintf(out, MMI_VALUE_TEXT, "%.*g", digits, value);
		if (strtod(out, NULL) == value)
			break;
	}
	leave_plain_locale(plain, previous);
	return out;
}

double mmi_value_widen(float value)
{
	char text[MMI_VALUE_TEXT];
	locale_t previous = (locale_t)0, plain = enter_plain_locale(&previous);
	double wide = (double)value;

	for (int digits = 6; digits <= 9; digits++) {
		snprintf(text, sizeof text, "%.*g", digits, (double)value);
		wide = strtod(text, NULL);
		if ((float)wide == value)
			break;
	}
	leave_plain_locale(plain, previous);
	return wide;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Optimal string alignment with three rows. */
size_t mmi_value_distance(const char *a, const char *b)
{
	size_t row[3][WORD_MAX + 1], n = strlen(a), m = strlen(b);

	if (n > WORD_MAX || m > WORD_MAX)
		return n + m;
	for (size_t j = 0; j <= m; j++)
		row[0][j] = j;
	for (size_t i = 1; i <= n; i++) {
		size_t *now = row[i % 3], *last = row[(i + 2) % 3], *before = row[(i + 1) % 3];
		now[0] = i;
		for (size_t j = 1; j <= m; j++) {
			now[j] = least(least(last[j], now[j - 1]) + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = least(now[j], before[j - 2] + 1);
		}
	}
	return row[n % 3][m];
}
