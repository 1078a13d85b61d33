/* fuzz_set.c - options --set, in parts. */
#include "mmi_build.h"

#include "fuzz.h"
#include "config/config.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const uint8_t *at = data, *end = data + n, *part;
	mm_error e = MM_ERROR_INIT;
	mmi_config *c;
	bool any = false;
	fuzz_must(mmi_config_create(&c, &e), &e);
	for (int k = 0; at < end && k < 64; k++) {
		mm_error own = MM_ERROR_INIT;
		size_t length = fuzz_part(&at, end, &part);
		char *text = fuzz_text(part, length);
		any |= fuzz_ok(mmi_config_set(c, text, &own), &own);
		free(text);
	}
	if (any)
		fuzz_use_settings(c, fuzz_rarely(data, n, 32));
	mmi_config_destroy(c);
	return 0;
}
