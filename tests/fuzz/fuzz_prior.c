/* fuzz_prior.c - priors that were fitted after training, in a checkpoint whose checksum is right. */
#include "mmi_build.h"

#include "fuzz_toys.h"
#include "run/fitted.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const mmi_model *model = fuzz_toy_model();
	mm_error e = MM_ERROR_INIT, f = MM_ERROR_INIT;
	mmi_checkpoint *ck;
	mmi_fitted prior;
	uint8_t *copy = malloc(n + 1);
	if (n)
		memcpy(copy, data, n);
	fuzz_new_checksum(copy, n);
	if (fuzz_ok(mmi_checkpoint_open_memory("memory", copy, n, &ck, &e), &e)) {
		if (fuzz_ok(mmi_fitted_read(ck, model, &prior, &f), &f))
			mmi_fitted_clear(&prior);
		mmi_checkpoint_close(ck);
	}
	free(copy);
	return 0;
}
