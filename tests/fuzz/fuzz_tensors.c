/* fuzz_tensors.c - checksums of safetensors files whose bytes were changed, so that what reads the numbers is reached.
 */
#include "mmi_build.h"

#include "fuzz.h"
#include "store/safetensors.h"

#include <stdio.h>
#include <string.h>
#include <zlib.h>

enum { LENGTH_BYTES = 8, CRC_DIGITS = 8 };

/* The reader of the format checks the header first: offsets are within the data. */
static uint32_t checksum_of(const mmi_safetensors *s, const uint8_t *data)
{
	uLong all = 0;
	for (size_t i = 0; i < mmi_safetensors_count(s); i++) {
		const mmi_tensor_info *t = mmi_safetensors_at(s, i);
		uLong crc = crc32_z(crc32_z(0, NULL, 0), (const Bytef *)t->name, strlen(t->name) + 1);
		all ^= crc32_z(crc, data + t->begin, (size_t)(t->end - t->begin));
	}
	return (uint32_t)all;
}

/* Where the digits of the checksum stand in the header, as the program writes it; NULL: there are none. */
static uint8_t *digits_in(uint8_t *header, size_t n)
{
	static const char key[] = "\"" MMI_SAFETENSORS_CRC "\":\"";
	uint8_t *at = memmem(header, n, key, sizeof key - 1);
	if (!at)
		return NULL;
	at += sizeof key - 1;
	return (size_t)(header + n - at) >= CRC_DIGITS ? at : NULL;
}

void fuzz_new_checksum(uint8_t *bytes, size_t n)
{
	uint64_t length;
	mmi_safetensors *s;
	char text[16];
	if (n < LENGTH_BYTES || mmi_safetensors_open_memory("file", bytes, n, &s, NULL) != MM_OK)
		return;
	memcpy(&length, bytes, sizeof length);
	uint8_t *header = bytes + LENGTH_BYTES, *digits = digits_in(header, (size_t)length);
	snprintf(text, sizeof text, "%08x", (unsigned)checksum_of(s, header + length));
	mmi_safetensors_close(s);
	if (digits)
		memcpy(digits, text, CRC_DIGITS);
}
