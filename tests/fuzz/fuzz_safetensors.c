/* fuzz_safetensors.c - files of tensors as they are, and as checkpoints with a checksum that is right. */
#include "mmi_build.h"

#include "fuzz.h"
#include "store/checkpoint.h"

#include <stdlib.h>
#include <string.h>

/* Whatever opens can be read as a whole, and every name leads back to its tensor. */
static void use(const mmi_safetensors *s)
{
	for (size_t i = 0; i < mmi_safetensors_count(s); i++) {
		const mmi_tensor_info *t = mmi_safetensors_at(s, i);
		const size_t bytes = (size_t)(t->end - t->begin);
		void *copy = malloc(bytes + 1);
		if (mmi_safetensors_find(s, t->name) != t || mmi_safetensors_read(s, t, copy, bytes, NULL) != MM_OK)
			fuzz_fail("tensor %zu cannot be read", i);
		free(copy);
	}
	for (size_t i = 0; i < mmi_safetensors_meta_count(s); i++)
		if (!mmi_safetensors_meta(s, mmi_safetensors_meta_at(s, i).key))
			fuzz_fail("text %zu cannot be found", i);
}

static void restore(const uint8_t *data, size_t n)
{
	mm_error e = MM_ERROR_INIT, f = MM_ERROR_INIT, g = MM_ERROR_INIT;
	mmi_checkpoint *ck;
	float x[6];
	int64_t count;
	const mmi_tensor_item items[] = { mmi_item_f32("a", (mm_shape){ 2, { 2, 3 } }, x), mmi_item_counter("b", &count) };
	if (!fuzz_ok(mmi_checkpoint_open_memory("memory", data, n, &ck, &e), &e))
		return;
	fuzz_ok(mmi_checkpoint_verify(ck, &f), &f);
	fuzz_ok(mmi_checkpoint_restore(ck, items, MMI_COUNT(items), &g), &g);
	mmi_checkpoint_close(ck);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	mm_error e = MM_ERROR_INIT, f = MM_ERROR_INIT;
	mmi_safetensors *s;
	const bool from_file = n % 8 == 0;
	if (!fuzz_ok(from_file ? mmi_safetensors_open(fuzz_file(0, data, n), &s, &e)
	                       : mmi_safetensors_open_memory("memory", data, n, &s, &e),
	             &e))
		return 0;
	use(s);
	fuzz_ok(mmi_safetensors_walk(s, &(mmi_safetensors_visit){ .ctx = NULL }, &f), &f);
	mmi_safetensors_close(s);
	uint8_t *copy = malloc(n);
	memcpy(copy, data, n);
	fuzz_new_checksum(copy, n);
	restore(copy, n);
	free(copy);
	return 0;
}
