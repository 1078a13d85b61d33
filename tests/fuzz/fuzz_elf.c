/* fuzz_elf.c - shared objects as the validator looks at them. */
#include "mmi_build.h"

#include "fuzz.h"
#include "validate/elf.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	mm_error e = MM_ERROR_INIT;
	mmi_elf *f;
	bool weak;
	size_t sum = 0;
	if (!fuzz_ok(mmi_elf_open(fuzz_file(0, data, n), &f, &e), &e))
		return 0;
	for (size_t i = 0; mmi_elf_export(f, i, &weak); i++)
		sum += strlen(mmi_elf_export(f, i, &weak));
	for (size_t i = 0; mmi_elf_needed(f, i); i++)
		sum += strlen(mmi_elf_needed(f, i));
	sum += mmi_elf_path(f) ? strlen(mmi_elf_path(f)) : 0;
	sum += mmi_elf_writes_code(f) + mmi_elf_executable_stack(f);
	if (sum > n * n + 1000)
		fuzz_fail("%zu bytes of names in a file of %zu", sum, n);
	mmi_elf_close(f);
	return 0;
}
