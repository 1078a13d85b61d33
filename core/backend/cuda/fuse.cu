/* fuse.cu - rows of latents from what becomes of their observed experts: barycentre, consensus, Hellinger pool. A block
 * a row; sums as the host has them (backend/cpu/rows_draw.c). */
#include "backend/cuda/args.h"
#include "backend/cuda/common.h"

/* As mmi_place_kind. */
enum { HELLINGER = 3, BARYCENTRE, CONSENSUS };

/* The row's observed experts. */
typedef struct fuse_row {
	const mmi_place_args *a;
	int64_t at; /* of element 0 */
	uint32_t n;
	uint32_t expert[MMI_STATES];
	const double *overlap; /* [MMI_STATES][MMI_STATES], k < i: 2 S_ik */
} fuse_row;

static __device__ double loc_of(const fuse_row *r, uint32_t i, int64_t d)
{
	return (double)r->a->loc[r->expert[i]][r->at + d];
}

static __device__ double scale_of(const fuse_row *r, uint32_t i, int64_t d)
{
	return (double)r->a->scale[r->expert[i]][r->at + d];
}

static __device__ void barycentre(const fuse_row *r, int64_t d, double *loc, double *scale)
{
	*loc = *scale = 0;
	for (uint32_t i = 0; i < r->n; i++) {
		*loc += loc_of(r, i, d) / r->n;
		*scale += scale_of(r, i, d) / r->n;
	}
}

static __device__ void consensus(const fuse_row *r, int64_t d, double *loc, double *scale)
{
	const double rho = r->a->correlation, c = rho / (1 + ((double)r->n - 1) * rho);
	double p1 = 0, p2 = 0, pulled1 = 0, pulled2 = 0;
	for (uint32_t i = 0; i < r->n; i++) {
		const double p = 1 / scale_of(r, i, d), pull = p * loc_of(r, i, d);
		p1 += p;
		p2 += p * p;
		pulled1 += pull;
		pulled2 += p * pull;
	}
	const double precision = (p2 - c * p1 * p1) / (1 - rho);
	*loc = (pulled2 - c * p1 * pulled1) / (1 - rho) / precision;
	*scale = 1 / sqrt(precision);
}

/* A thread's share of the logarithm of S_ik. */
static __device__ double log_overlap(const fuse_row *r, uint32_t i, uint32_t k)
{
	double sum = 0;
	for (int64_t d = (int64_t)threadIdx.x; d < r->a->dim; d += MMI_BLOCK) {
		const double a = scale_of(r, i, d), b = scale_of(r, k, d), total = a * a + b * b;
		const double apart = loc_of(r, i, d) - loc_of(r, k, d);
		sum += 0.5 * log(2 * a * b / total) - apart * apart / (4 * total);
	}
	return sum;
}

/* Mass, mean and squares around `around` of the mixture that the pool is. */
static __device__ void moments(const fuse_row *r, int64_t d, double around, double m[3])
{
	m[0] = m[1] = m[2] = 0;
	for (uint32_t i = 0; i < r->n; i++)
		for (uint32_t k = 0; k <= i; k++) {
			const double vi = scale_of(r, i, d) * scale_of(r, i, d), vk = scale_of(r, k, d) * scale_of(r, k, d);
			const double weight = k < i ? r->overlap[i * MMI_STATES + k] : 1;
			const double loc = (loc_of(r, i, d) * vk + loc_of(r, k, d) * vi) / (vi + vk);
			m[0] += weight;
			m[1] += weight * loc;
			m[2] += weight * (2 * vi * vk / (vi + vk) + (loc - around) * (loc - around));
		}
}

static __device__ void hellinger(const fuse_row *r, int64_t d, double *loc, double *scale)
{
	double m[3];
	moments(r, d, 0, m);
	*loc = m[1] / m[0];
	moments(r, d, *loc, m);
	*scale = sqrt(m[2] / m[0]);
}

static __device__ void fuse_element(const fuse_row *r, int64_t d)
{
	float *out = r->a->out + r->at + d;
	double loc, scale;
	if (r->a->kind == HELLINGER)
		hellinger(r, d, &loc, &scale);
	else if (r->a->kind == BARYCENTRE)
		barycentre(r, d, &loc, &scale);
	else
		consensus(r, d, &loc, &scale);
	*out = (float)loc + (float)r->a->temperature * (float)scale * *out;
}

static __global__ void fuse(const mmi_place_args a)
{
	__shared__ double shared[MMI_BLOCK], overlap[MMI_STATES * MMI_STATES];
	const int64_t row = (int64_t)blockIdx.x;
	fuse_row r;
	r.a = &a;
	r.at = row * a.dim;
	r.n = 0;
	r.overlap = overlap;
	for (uint32_t m = 0; m < a.n; m++)
		if (!a.observed[m] || a.observed[m][row] > 0.f)
			r.expert[r.n++] = m;
	for (uint32_t i = 0; a.kind == HELLINGER && i < r.n; i++)
		for (uint32_t k = 0; k < i; k++) {
			const double log_s = block_sum(shared, log_overlap(&r, i, k));
			if (threadIdx.x == 0)
				overlap[i * MMI_STATES + k] = 2 * exp(log_s);
			__syncthreads();
		}
	for (int64_t d = (int64_t)threadIdx.x; d < a.dim; d += MMI_BLOCK)
		fuse_element(&r, d);
}
MMI_KERNEL(fuse, mmi_place_args, 3 * MMI_STATES + 2);
