/* fuzz_ini.c - INI files, with all settings of the core. */
#include "mmi_build.h"

#include "fuzz.h"
#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	mm_error e = MM_ERROR_INIT;
	mmi_config *c;
	if (fuzz_ok(mmi_config_load(fuzz_file(0, data, n), &c, &e), &e)) {
		fuzz_use_settings(c, fuzz_rarely(data, n, 32));
		mmi_config_destroy(c);
	}
	return 0;
}
