/* crc32.c - CRC-32 by carry-less products, several times as fast as zlib's tables. */
#include "mmi_build.h"

#include "store/crc32.h"

#include <zlib.h>

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>

/* Gopal et al., "Fast CRC computation for generic polynomials using PCLMULQDQ" (Intel 2009): four sums of 128 bits run
 * over the data, each multiplied by x^512 modulo P a step; they become one, then 64 and 32 bits. Bits are reflected, as
 * in the constants of the paper's table. Takes whole pieces of 64 bytes, at least one. */
__attribute__((target("pclmul,sse4.1"))) static uint32_t fold(uint32_t crc, const unsigned char *data, size_t bytes)
{
	const __m128i by512 = _mm_set_epi64x(0x01c6e41596, 0x0154442bd4),
				  by128 = _mm_set_epi64x(0x00ccaa009e, 0x01751997d0), by64 = _mm_set_epi64x(0, 0x0163cd6124),
				  barrett = _mm_set_epi64x(0x01f7011641, 0x01db710641), low = _mm_setr_epi32(~0, 0, ~0, 0);
	__m128i x[4];
	for (int i = 0; i < 4; i++)
		x[i] = _mm_loadu_si128((const __m128i *)(const void *)(data + 16 * i));
	x[0] = _mm_xor_si128(x[0], _mm_cvtsi32_si128((int)crc));
	for (data += 64, bytes -= 64; bytes; data += 64, bytes -= 64)
		for (int i = 0; i < 4; i++) {
			const __m128i next = _mm_loadu_si128((const __m128i *)(const void *)(data + 16 * i));
			const __m128i products =
				_mm_xor_si128(_mm_clmulepi64_si128(x[i], by512, 0x00), _mm_clmulepi64_si128(x[i], by512, 0x11));
			x[i] = _mm_xor_si128(products, next);
		}
	for (int i = 1; i < 4; i++) {
		const __m128i products =
			_mm_xor_si128(_mm_clmulepi64_si128(x[0], by128, 0x00), _mm_clmulepi64_si128(x[0], by128, 0x11));
		x[0] = _mm_xor_si128(products, x[i]);
	}
	__m128i sum = _mm_xor_si128(_mm_srli_si128(x[0], 8), _mm_clmulepi64_si128(x[0], by128, 0x10));
	sum = _mm_xor_si128(_mm_srli_si128(sum, 4), _mm_clmulepi64_si128(_mm_and_si128(sum, low), by64, 0x00));
	__m128i q = _mm_clmulepi64_si128(_mm_and_si128(sum, low), barrett, 0x10);
	q = _mm_clmulepi64_si128(_mm_and_si128(q, low), barrett, 0x00);
	return (uint32_t)_mm_extract_epi32(_mm_xor_si128(sum, q), 1);
}

uint32_t mmi_crc32(uint32_t crc, const void *data, size_t bytes)
{
	const unsigned char *at = data;
	const size_t whole = bytes / 64 * 64;
	if (whole && __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1")) {
		crc = ~fold(~crc, at, whole);
		at += whole;
		bytes -= whole;
	}
	return bytes ? (uint32_t)crc32_z(crc, at, bytes) : crc;
}

#else

uint32_t mmi_crc32(uint32_t crc, const void *data, size_t bytes)
{
	return bytes ? (uint32_t)crc32_z(crc, data, bytes) : crc;
}

#endif
