/* fuzz_safetensors.c - feeds arbitrary bytes to the safetensors reader; not part of make check.
 *
 * Build with the sources of core/store and core/base and -fsanitize=fuzzer,address,undefined (clang). */
#include "mmi_build.h"

#include "store/safetensors.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

/* Whatever opens must be readable as a whole, and every name must lead back to its tensor. */
static void use(const mmi_safetensors *s)
{
	for (size_t i = 0; i < mmi_safetensors_count(s); i++) {
		const mmi_tensor_info *t = mmi_safetensors_at(s, i);
		size_t bytes = (size_t)(t->end - t->begin);
		void *copy = malloc(bytes + 1);
		if (mmi_safetensors_find(s, t->name) != t || mmi_safetensors_read(s, t, copy, bytes, NULL) != MM_OK)
			abort();
		free(copy);
	}
	for (size_t i = 0; i < mmi_safetensors_meta_count(s); i++)
		if (!mmi_safetensors_meta(s, mmi_safetensors_meta_at(s, i).key))
			abort();
	mmi_safetensors_walk(s, &(mmi_safetensors_visit){ .ctx = NULL }, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	mm_error e = MM_ERROR_INIT;
	mmi_safetensors *s;
	char path[64];
	int fd = memfd_create("fuzz", 0);

	if (fd < 0 || write(fd, data, bytes) != (ssize_t)bytes)
		abort();
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (mmi_safetensors_open(path, &s, &e) == MM_OK) {
		use(s);
		mmi_safetensors_close(s);
	} else if (!e.message[0]) {
		abort();
	}
	close(fd);
	return 0;
}
