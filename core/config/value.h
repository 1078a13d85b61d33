/* value.h - numbers and words of settings: parsing that takes the whole text or fails, and printing that reads back. */
#ifndef MMI_VALUE_H
#define MMI_VALUE_H

#include "base/base.h"

#define MMI_VALUE_TEXT 64

bool mmi_value_int(const char *text, int64_t *out);  /* decimal */
bool mmi_value_float(const char *text, double *out); /* decimal, finite; '.' whatever the locale */
bool mmi_value_bool(const char *text, bool *out);    /* yes/no, true/false, on/off, 1/0 */
/* "name(0.7)" or "name"; *length is the name's, *argument the number (has_argument false: no brackets). */
bool mmi_value_call(const char *text, size_t *length, bool *has_argument, double *argument);
/* The shortest text that reads back as the same number; out holds MMI_VALUE_TEXT bytes. Returns out. */
char *mmi_value_print(double value, char *out);
/* The double with the fewest digits that rounds to the float: 0.7f becomes 0.7, not 0.699999988. */
double mmi_value_widen(float value);
/* Number of single-character edits (swaps of neighbours count as one) from a to b; large for long words. */
size_t mmi_value_distance(const char *a, const char *b);

#endif
