/* vec_philox.h - Philox4x32-10, 16 blocks side by side.
 *
 * Each 32-bit word sits in the low half of a 64-bit lane, where the processor's 32 x 32 -> 64 multiplication wants it;
 * the high halves hold leftovers that no multiplication reads. Even and odd blocks are put together at the end. */
#ifndef MMI_CPU_VEC_PHILOX_H
#define MMI_CPU_VEC_PHILOX_H

#include "backend/cpu/vec_math.h"
#include "engine/vec.h"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

enum { MMI_PHILOX_BLOCKS = 16 };

#if defined(__AVX512F__)
#define PHILOX_BYTES 64
#elif defined(__AVX2__)
#define PHILOX_BYTES 32
#else
#define PHILOX_BYTES 16
#endif
#define PHILOX_VECTORS (MMI_PHILOX_BLOCKS / 2 * 8 / PHILOX_BYTES)

typedef uint64_t philox_vector __attribute__((vector_size(PHILOX_BYTES)));

VM_INLINE philox_vector philox_splat(uint64_t x)
{
	return (philox_vector){ 0 } + x;
}

/* Products of the low halves. */
VM_INLINE philox_vector philox_multiply(philox_vector a, philox_vector b)
{
#if defined(__AVX512F__)
	return (philox_vector)_mm512_mul_epu32((__m512i)a, (__m512i)b);
#elif defined(__AVX2__)
	return (philox_vector)_mm256_mul_epu32((__m256i)a, (__m256i)b);
#elif defined(__SSE2__)
	return (philox_vector)_mm_mul_epu32((__m128i)a, (__m128i)b);
#else
	return (a & 0xFFFFFFFFu) * (b & 0xFFFFFFFFu);
#endif
}

typedef struct philox_state {
	philox_vector c[4];
} philox_state;

VM_INLINE philox_state philox_rounds(philox_state s, uint64_t key)
{
	uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);

	for (int round = 0; round < 10; round++) {
		const philox_vector p0 = philox_multiply(s.c[0], philox_splat(0xD2511F53u));
		const philox_vector p1 = philox_multiply(s.c[2], philox_splat(0xCD9E8D57u));

		s = (philox_state){ { (p1 >> 32) ^ s.c[1] ^ philox_splat(k0), p1, (p0 >> 32) ^ s.c[3] ^ philox_splat(k1),
			                  p0 } };
		k0 += 0x9E3779B9u;
		k1 += 0xBB67AE85u;
	}
	return s;
}

/* words[16 k + lane] = word k of block first_block + lane. */
VM_INLINE void philox_blocks(uint32_t words[4 * MMI_PHILOX_BLOCKS], const mmi_rng *r, uint32_t first_block)
{
	static const uint64_t even_blocks[MMI_PHILOX_BLOCKS / 2] = { 0, 2, 4, 6, 8, 10, 12, 14 };

	for (int v = 0; v < PHILOX_VECTORS; v++) {
		philox_vector block;
		memcpy(&block, even_blocks + v * (PHILOX_BYTES / 8), sizeof block);
		block += philox_splat(first_block);
		const philox_state start = { { block, philox_splat(r->sample), philox_splat(r->step),
			                           philox_splat(r->iteration) } };
		philox_state odd_start = start;
		odd_start.c[0] += philox_splat(1);
		const philox_state even = philox_rounds(start, r->key), odd = philox_rounds(odd_start, r->key);

		for (int k = 0; k < 4; k++) {
			const philox_vector both = (even.c[k] & philox_splat(0xFFFFFFFFu)) | (odd.c[k] << 32);
			memcpy(words + k * MMI_PHILOX_BLOCKS + v * (PHILOX_BYTES / 4), &both, sizeof both);
		}
	}
}

#endif
