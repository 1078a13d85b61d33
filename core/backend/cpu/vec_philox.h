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
/* Vectors of even and of odd blocks that go through the rounds side by side, as a round waits for the one before it. */
#if defined(__AVX512F__)
#define PHILOX_SIDE 2
#else
#define PHILOX_SIDE 1
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

/* Two vectors' low halves side by side: even's below, odd's above. */
VM_INLINE philox_vector philox_low(philox_vector even, philox_vector odd)
{
#if defined(__AVX512F__)
	return (philox_vector)_mm512_mask_shuffle_epi32((__m512i)even, 0xAAAA, (__m512i)odd, _MM_PERM_CCAA);
#else
	return (even & philox_splat(0xFFFFFFFFu)) | odd << 32;
#endif
}

/* The same of their high halves. */
VM_INLINE philox_vector philox_high(philox_vector even, philox_vector odd)
{
#if defined(__AVX512F__)
	return (philox_vector)_mm512_mask_shuffle_epi32((__m512i)odd, 0x5555, (__m512i)even, _MM_PERM_DDBB);
#else
	return even >> 32 | (odd & philox_splat(0xFFFFFFFF00000000u));
#endif
}

#define PHILOX_M0 0xD2511F53u
#define PHILOX_M1 0xCD9E8D57u
#define PHILOX_K0 0x9E3779B9u
#define PHILOX_K1 0xBB67AE85u

typedef struct philox_state {
	philox_vector c[4];
} philox_state;

/* The first two rounds of the blocks (block, sample, step, iteration): what follows from the last three words alone is
 * the same in all blocks, a multiplication in each round among it. */
VM_INLINE philox_state philox_start(const mmi_rng *r, philox_vector block)
{
	const uint32_t k0 = (uint32_t)r->key, k1 = (uint32_t)(r->key >> 32);
	const uint64_t step = (uint64_t)r->step * PHILOX_M1;
	const uint64_t sample = (uint64_t)((uint32_t)(step >> 32) ^ r->sample ^ k0) * PHILOX_M0;
	const philox_vector p = philox_multiply(block, philox_splat(PHILOX_M0));
	const philox_vector q = philox_multiply((p >> 32) ^ philox_splat(r->iteration ^ k1), philox_splat(PHILOX_M1));

	return (philox_state){ { (q >> 32) ^ philox_splat((uint32_t)step ^ (k0 + PHILOX_K0)), q,
		                     p ^ philox_splat((uint32_t)(sample >> 32) ^ (k1 + PHILOX_K1)),
		                     philox_splat((uint32_t)sample) } };
}

VM_INLINE philox_state philox_round(philox_state s, uint32_t k0, uint32_t k1)
{
	const philox_vector p0 = philox_multiply(s.c[0], philox_splat(PHILOX_M0));
	const philox_vector p1 = philox_multiply(s.c[2], philox_splat(PHILOX_M1));

	return (philox_state){ { (p1 >> 32) ^ s.c[1] ^ philox_splat(k0), p1, (p0 >> 32) ^ s.c[3] ^ philox_splat(k1), p0 } };
}

VM_INLINE philox_vector philox_both(uint32_t key)
{
	return philox_splat((uint64_t)key << 32 | key);
}

/* The last round of even and odd blocks, their words put together. */
VM_INLINE philox_state philox_last(philox_state even, philox_state odd, uint32_t k0, uint32_t k1)
{
	const philox_vector e0 = philox_multiply(even.c[0], philox_splat(PHILOX_M0));
	const philox_vector e1 = philox_multiply(even.c[2], philox_splat(PHILOX_M1));
	const philox_vector o0 = philox_multiply(odd.c[0], philox_splat(PHILOX_M0));
	const philox_vector o1 = philox_multiply(odd.c[2], philox_splat(PHILOX_M1));

	return (philox_state){
		{ philox_high(e1, o1) ^ philox_low(even.c[1], odd.c[1]) ^ philox_both(k0), philox_low(e1, o1),
		  philox_high(e0, o0) ^ philox_low(even.c[3], odd.c[3]) ^ philox_both(k1), philox_low(e0, o0) }
	};
}

/* Vectors v.. of the words of a row from block first_block on; a vector holds as many even and as many odd blocks. */
VM_INLINE void philox_vectors(uint32_t *words, const mmi_rng *r, uint32_t first_block, size_t v, const int side)
{
	static const uint64_t even_blocks[8] = { 0, 2, 4, 6, 8, 10, 12, 14 };
	philox_state even[PHILOX_SIDE], odd[PHILOX_SIDE];
	uint32_t k0 = (uint32_t)r->key + 2 * PHILOX_K0, k1 = (uint32_t)(r->key >> 32) + 2 * PHILOX_K1;
	philox_vector block;

	memcpy(&block, even_blocks, sizeof block);
	for (int i = 0; i < side; i++) {
		const philox_vector at = block + philox_splat(first_block + (uint32_t)(v + (size_t)i) * (PHILOX_BYTES / 4));
		even[i] = philox_start(r, at);
		odd[i] = philox_start(r, at + philox_splat(1));
	}
	for (int round = 2; round < 9; round++, k0 += PHILOX_K0, k1 += PHILOX_K1)
		for (int i = 0; i < side; i++) {
			even[i] = philox_round(even[i], k0, k1);
			odd[i] = philox_round(odd[i], k0, k1);
		}
	for (int i = 0; i < side; i++) {
		const size_t group = (v + (size_t)i) / PHILOX_VECTORS, part = (v + (size_t)i) % PHILOX_VECTORS;
		const philox_state s = philox_last(even[i], odd[i], k0, k1);
		for (size_t k = 0; k < 4; k++)
			memcpy(words + (4 * group + k) * MMI_PHILOX_BLOCKS + part * (PHILOX_BYTES / 4), &s.c[k], sizeof s.c[k]);
	}
}

/* words[64 g + 16 k + lane] = word k of block first_block + 16 g + lane, g < groups. */
VM_INLINE void philox_groups(uint32_t *words, size_t groups, const mmi_rng *r, uint32_t first_block)
{
	const size_t vectors = groups * PHILOX_VECTORS;
	size_t v = 0;

	for (; v + PHILOX_SIDE <= vectors; v += PHILOX_SIDE)
		philox_vectors(words, r, first_block, v, PHILOX_SIDE);
	for (; v < vectors; v++)
		philox_vectors(words, r, first_block, v, 1);
}

#endif
