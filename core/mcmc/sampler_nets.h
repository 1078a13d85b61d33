/* sampler_nets.h - the networks of a sampler, as sampler.c and draws.c see it. */
#ifndef MMI_SAMPLER_NETS_H
#define MMI_SAMPLER_NETS_H

#include "mcmc/runs.h"

enum { MMI_TERM_SETS = 1 << MMI_TERMS };

typedef struct mmi_encode_net {
	mmi_network net;
	mm_tensor x[MMI_MAX_MODALITIES];
	mmi_expert expert[MMI_MAX_MODALITIES];
} mmi_encode_net;

typedef struct mmi_decode_net {
	mmi_network net;
	mmi_place place;
	mm_tensor mean[MMI_MAX_MODALITIES];
} mmi_decode_net;

typedef struct mmi_posterior_net {
	mmi_network net;
	mm_tensor x[MMI_MAX_MODALITIES], observed[MMI_MAX_MODALITIES];
	mmi_place place, grad;
	mm_tensor u;
} mmi_posterior_net;

typedef struct mmi_guide_net {
	mmi_network net;
	mm_tensor x[MMI_MAX_MODALITIES], observed[MMI_MAX_MODALITIES];
	mmi_place place, grad;
	mm_tensor weight, u;
} mmi_guide_net;

/* The guide's energy alone, without gradients. */
typedef struct mmi_screen_net {
	mmi_network net;
	mm_tensor x[MMI_MAX_MODALITIES], observed[MMI_MAX_MODALITIES];
	mmi_place place;
	mm_tensor energy;
} mmi_screen_net;

/* The same of a tuple as it is. */
typedef struct mmi_fit_net {
	mmi_network net;
	mm_tensor x[MMI_MAX_MODALITIES], energy;
} mmi_fit_net;

/* -log p0(z), of a prior that only a chain draws from. */
typedef struct mmi_prior_net {
	mmi_network net;
	mmi_place place, grad;
	mm_tensor u;
} mmi_prior_net;

/* E with its gradient, of so many rows of a chunk at once. */
typedef struct mmi_revise_net {
	mmi_network net;
	uint32_t rows;
	mm_tensor x[MMI_MAX_MODALITIES], energy, dx[MMI_MAX_MODALITIES];
} mmi_revise_net;

/* The joint energy and its terms; MMI_NONE where there is none. */
typedef struct mmi_energy_net {
	mmi_network net;
	mm_tensor x[MMI_MAX_MODALITIES], energy, term[MMI_TERMS];
} mmi_energy_net;

/* What E_match is made of; without it nothing is compiled. */
typedef struct mmi_embed_net {
	mmi_network net;
	mm_tensor x[MMI_MAX_MODALITIES], unit[MMI_MAX_MODALITIES], scale;
} mmi_embed_net;

struct mmi_sampler {
	const mmi_model *model;
	mmi_pool *pool;
	mmi_sampler_config config;
	mmi_encode_net encode;
	mmi_decode_net decode;
	mmi_posterior_net posterior, potential; /* potential: U alone, without gradients */
	mmi_prior_net prior;                    /* nothing unless the model's has an energy */
	mmi_guide_net guide[MMI_TERM_SETS];     /* by terms of the joint energy, as bits; [0]: by all of it */
	mmi_screen_net screen[MMI_TERM_SETS];
	mmi_fit_net fit[MMI_TERM_SETS];
	mmi_revise_net revise;
	mmi_energy_net energy;
	mmi_embed_net embed;
	mmi_mirror chunk_stats;       /* one mmi_chain_stats per chunk: summed in order */
	mmi_mirror ones, weight;      /* [chunk]: every modality is observed; of the guide's energy */
	uint32_t nets;                /* that are compiled */
	bool watched;                 /* data chains may be */
	mmi_floats zeros;             /* [chunk]: no modality is observed */
	mmi_floats nothing;           /* [chunk][largest modality] of 0, where there is no x */
	mmi_device_latents candidate; /* [max_rows]: choices among draws */
	mmi_floats screened;          /* [max_rows]: energies of the draws at hand */
	mmi_doubles score;            /* [max_rows]: of the best so far */
	mmi_bytes taken;              /* [max_rows]: rows for which the draw at hand is the best */
	mmi_fitted_prior fitted;      /* where its clusters are asked for; n of each 0: not */
	mmi_mirror fits;              /* of starts and ends of a bounded chain: floats [2][max_rows]; bytes [max_rows] */
	uint32_t stayed;              /* rows of the last one that stayed as they began */
	void *passage;                /* where rows of the host are on a device that is not direct */
	struct {
		uint64_t prior, prior_chain, cluster, draw, pick, subset, choice, candidate, z;
		uint64_t prior_w[MMI_MAX_MODALITIES], cluster_w[MMI_MAX_MODALITIES], draw_w[MMI_MAX_MODALITIES],
			w[MMI_MAX_MODALITIES], x[MMI_MAX_MODALITIES];
	} key;
};

/* These terms (0: all) of the joint energy of (x observed, g(z, W) otherwise) in each row. x NULL:
 * nothing is. */
void mmi_run_screen(mmi_sampler *s, uint32_t terms, const mmi_parts *p, const mmi_device_rows *x, uint32_t rows,
                    const mmi_device_latents *z, mmi_floats energy);
/* These terms of each row's joint energy. */
void mmi_run_fit(mmi_sampler *s, uint32_t terms, const mmi_device_rows *x, uint32_t rows, mmi_floats energy);
/* Rows of x in which a chain from `start` made the energy rise beyond its bound become those of start again. Waits. */
void mmi_run_bound(mmi_sampler *s, const mmi_revise_args *a, const mmi_device_rows *x, const mmi_device_rows *start,
                   uint32_t rows);
/* Bytes of a sampler's fits. */
size_t mmi_fits_bytes(uint32_t rows);
/* Compiles what the chain of the prior runs, of a model whose prior has an energy: whatever draws from it does. */
mm_status mmi_sampler_record_prior(mmi_sampler *s, mm_error *e);
/* Standard draws of z, the chain-th of each row, become those of the model's prior, which has an energy. */
void mmi_run_prior_chain(mmi_sampler *s, mmi_span span, uint32_t chain, uint32_t iteration, mmi_floats z);
/* Bytes of the rows that one call of sampler.h takes to the device and back. */
size_t mmi_passage_bytes(const mmi_model *m, uint32_t rows);

#endif
