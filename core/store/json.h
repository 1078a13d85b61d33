/* json.h - JSON that nobody vouches for, within bounds of depth and memory. */
#ifndef MMI_JSON_H
#define MMI_JSON_H

#include "base/base.h"

#include <cjson/cJSON.h>

/* Parses all of text; `what` names it in messages. Nested at most `depth` deep, at most `values` values, each of which
 * takes some 100 bytes. MM_ENOMEM is no verdict on the text. cJSON_Delete frees the result. */
mm_status mmi_json_parse(const char *text, size_t bytes, const char *what, int depth, size_t values, cJSON **out,
                         mm_error *e);

#endif
