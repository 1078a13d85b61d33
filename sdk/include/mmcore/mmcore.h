/* mmcore/mmcore.h - libmmcore: models that mmcore has trained, inside other programs.
 *
 * Compiles alone as C11, C17 and C++11 and later. mmcore(3) and docs/LIBRARY.md have examples.
 *
 *	mm_error e = MM_ERROR_INIT;
 *	mm_model *model;
 *	if (mm_model_open("runs/demo", NULL, &model, &e) != MM_OK)
 *		return complain(e.message);
 *	float *picture = malloc(...);             mm_modality_about says how many floats a sample has
 *	float *x[] = { picture, NULL, NULL };     one pointer a modality, in the model's order; NULL: not wanted
 *	mm_model_sample(model, 1, NULL, x, NULL, &e);
 *	mm_model_render(model, 0, picture, "picture.png", &e);
 *	mm_model_close(model);
 *
 * Samples of modality m are x[m], [n][floats] of float32: n samples one after the other, each in row-major order of its
 * shape, last axis fastest; pictures are [height, width, channels]. Arrays are the caller's; the library keeps none.
 *
 * Errors. Functions return a status; MM_OK is 0. A text of what was found, what was expected and what to do is in *e,
 * which may be NULL. On failure arrays that were to be filled may be filled in part; all else is as it was.
 *
 * Structs that cross the boundary begin with struct_size, set by the caller (MM_OPEN_OPTIONS_INIT, MM_OPTIONS_INIT,
 * sizeof): programs work with newer and older libraries, which know members that were appended or not.
 *
 * Threads. Different models may be used from different threads at the same time; calls on one model wait for each
 *other. A model computes with threads of its own, which take no signals. Results depend neither on their number nor on
 *the caller's locale and rounding mode.
 *
 * The library prints nothing, ends no process, handles no signal, writes no file but those that it is asked for, and
 * changes neither locale, environment nor current folder. */
#ifndef MMCORE_MMCORE_H
#define MMCORE_MMCORE_H

#include <stddef.h>
#include <stdint.h>
#include <mmcore/status.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__) || defined(__clang__)
#define MM_API __attribute__((visibility("default")))
#else
#define MM_API
#endif

typedef struct mm_model mm_model;

/* The version of the library that runs, "0.1.0". */
MM_API const char *mm_version(void);
/* "out of memory": a status in words. */
MM_API const char *mm_status_name(mm_status status);

/* ---------------------------------------------------------------- opening */

typedef struct mm_open_options {
	uint32_t struct_size;
	uint32_t threads;           /* that compute, the caller's among them; 0: as many as there are processors */
	const char *device;         /* NULL: "cpu" */
	const char *plugin_path;    /* folders, colons between, to be searched for plugins first; NULL: none */
	const char *const *plugins; /* n_plugins of "[NAME=]FILE", as the option --plugin of the program; may be NULL */
	size_t n_plugins;
	const char *const *settings; /* n_settings of "SECTION.KEY=VALUE", as the option --set; may be NULL */
	size_t n_settings;
	/* Told lines of text: warnings, and what plugins say. level: 0 debug, 1 information, 2 warning, 3 and above error.
	 * Any thread, while the model is open; must call nothing of this library. May be NULL. */
	void (*log)(void *ctx, int32_t level, const char *text);
	void *log_ctx;
} mm_open_options;

#define MM_OPEN_OPTIONS_INIT                                         \
	{                                                                \
		(uint32_t)sizeof(mm_open_options), 0, 0, 0, 0, 0, 0, 0, 0, 0 \
	}

/* A model from a checkpoint (*.safetensors), or from a run's folder: its best checkpoint or else the newest. Starts the
 * plugins that the checkpoint names, which are looked for as the program does (docs/ABI.md): which file runs is never
 * the checkpoint's to say. options may be NULL.
 * MM_EIO: the file, or that of a plugin, is not there; MM_EFORMAT: it is no checkpoint, or damaged; MM_ECONFIG: a
 * setting, or the plugin is another than the checkpoint's, or of another version;
 * MM_ESHAPE: the plugin's networks are not those of the checkpoint; MM_EABI: the plugin does not fit. */
MM_API mm_status mm_model_open(const char *path, const mm_open_options *options, mm_model **out, mm_error *e);
/* The same from a checkpoint's bytes, which are not needed afterwards. name is for messages; NULL: "memory". */
MM_API mm_status mm_model_open_memory(const void *bytes, size_t size, const char *name, const mm_open_options *options,
                                      mm_model **out, mm_error *e);
/* Accepts NULL. No call on the model may be going on. */
MM_API void mm_model_close(mm_model *model);

/* ---------------------------------------------------------------- what a model holds */

typedef struct mm_model_about {
	uint32_t struct_size;
	uint32_t n_modalities;
	int32_t latent_dim;  /* floats of the shared latent z; 0 for models of independent modalities */
	int32_t private_dim; /* floats of each modality's own latent w; 0: none */
	int32_t has_energy;  /* 0: no energy model was trained: no scores, no data chain, no guide, no choice of draws */
	uint32_t threads;    /* that compute */
	int64_t iteration;   /* of training */
	uint64_t seed;       /* of all draws */
} mm_model_about;

/* Fills *out up to out->struct_size. */
MM_API mm_status mm_model_describe(const mm_model *model, mm_model_about *out, mm_error *e);

enum { MM_CAN_READ_FILES = 1, MM_CAN_READ_TEXT = 2, MM_CAN_DRAW = 4 };

/* One modality. Texts are the model's. */
typedef struct mm_modality_about {
	uint32_t struct_size;
	uint32_t rank;                          /* of a sample */
	int64_t dim[8];                         /* its shape; unused ones are 0 */
	uint64_t floats;                        /* of a sample: the product of the shape */
	const char *name;                       /* "m0" */
	const char *plugin;                     /* "org.mmcore.mnist": who serves it */
	const char *version;                    /* of the plugin */
	const char *kind;                       /* "styled-digit": which of the plugin's modalities */
	const char *file_suffix;                /* ".png": what mm_model_render writes */
	const char *support;                    /* "box": lo..hi; "simplex": the last axis sums to 1; "real" */
	const char *likelihood;                 /* "gaussian", "laplace", "bernoulli", "categorical" */
	float lo, hi;                           /* of a box; 0 and 1 on a simplex; -infinity and infinity otherwise */
	float likelihood_scale;                 /* sigma of a gaussian, b of a laplace; else 0 */
	uint32_t n_classes;                     /* labels of its data are 0..n_classes - 1; 0: none */
	uint32_t can;                           /* MM_CAN_... */
	uint32_t picture_width, picture_height; /* of what mm_model_draw draws; 0 where it cannot */
} mm_modality_about;

/* MM_EARG when there is no such modality; they are 0 to n_modalities - 1. */
MM_API mm_status mm_model_modality(const mm_model *model, uint32_t modality, mm_modality_about *out, mm_error *e);
/* The modality of that name; -1: none. */
MM_API int32_t mm_model_find(const mm_model *model, const char *name);
/* What the checkpoint's metadata say under a key ("settings", "version", "build", ...); NULL: nothing. */
MM_API const char *mm_model_meta(const mm_model *model, const char *key);
/* The key of that number, in alphabetical order; NULL behind the last. */
MM_API const char *mm_model_meta_key(const mm_model *model, size_t i);

/* ---------------------------------------------------------------- drawing */

/* How something is drawn; NULL: MM_OPTIONS_INIT. Each function says which members it looks at. Negative steps and
 * candidates: as the model's settings have it ([sample], [translate] and [learner] in mmcore-settings(5)). */
typedef struct mm_options {
	uint32_t struct_size;
	uint32_t number;     /* which draws: another number below 65536, other draws; the same one, the same draws */
	uint32_t draws;      /* translations of each tuple */
	int32_t mean;        /* not 0: translations start from the mean of q(z | x) instead of a draw */
	int32_t expert;      /* the given modality whose q(z | x) starts; -1: as the settings fuse those given */
	int32_t z_steps;     /* of the posterior chain, which moves latents towards what is given */
	int32_t candidates;  /* draws of the latents, one of which is chosen by the joint energy */
	int32_t guide_steps; /* of the latent chain, which the joint energy guides */
	int32_t x_steps;     /* of the data chain, which moves tuples down the energy */
	/* Told how many rows are done before each block (of 64) and after the last; returns 0 to go on, else the call fails
	 * with MM_ECANCELLED. Called by the caller's thread; must call nothing of this library on this model. May be NULL.
	 */
	int32_t (*progress)(void *ctx, uint64_t done, uint64_t total);
	void *progress_ctx;
} mm_options;

#define MM_OPTIONS_INIT                                                 \
	{                                                                   \
		(uint32_t)sizeof(mm_options), 0, 1, 0, -1, -1, -1, -1, -1, 0, 0 \
	}

/* n samples. samples[m] gets those from guided latents moved by the data chain, as far as settings and options have
 * these; generated[m], where wanted, what the generator makes of the same draws alone. Either may be NULL, and so may
 * be each of their pointers. Looks at number, candidates, guide_steps, x_steps, progress. At most 2^22 samples. */
MM_API mm_status mm_model_sample(mm_model *model, uint32_t n, const mm_options *options, float *const *samples,
                                 float *const *generated, mm_error *e);

/* Latents: z [rows][latent_dim] and w[m] [rows][private_dim], NULL where the model has none. */
typedef struct mm_latents {
	uint32_t struct_size;
	float *z;
	float *const *w; /* a pointer a modality; NULL where private_dim is 0, or where they are not wanted */
} mm_latents;

/* Makes from some modalities of n tuples the others. given[m]: samples of what is given, NULL otherwise. lacking, which
 * may be NULL and so may be each of its pointers: lacking[m] [n], not 0 where this tuple lacks what others of the n
 * have; each must have something. Rows of all that comes back are n times options->draws, draws fastest: made[m] gets
 * whole samples, what was given itself; NULL: not wanted. latents, which may be NULL, gets what was decoded: the shared
 * latent of what is given (its pointers may be NULL: not wanted). Without any made there is no data chain.
 * Looks at all members of options. */
MM_API mm_status mm_model_translate(mm_model *model, uint32_t n, const float *const *given,
                                    const uint8_t *const *lacking, const mm_options *options, float *const *made,
                                    const mm_latents *latents, mm_error *e);

/* The joint energy of n complete tuples: the lower, the better their parts fit. energy [n]. MM_EUNSUPPORTED without an
 * energy model. Looks at progress. */
MM_API mm_status mm_model_score(mm_model *model, uint32_t n, const float *const *x, const mm_options *options,
                                float *energy, mm_error *e);

/* What each modality's encoder tells: means and scales of q(z | x_m), and of q(w_m | x_m). Each array may be NULL, and
 * so may be each of its pointers; where x[m] is NULL they must be. Looks at progress. */
typedef struct mm_encoded {
	uint32_t struct_size;
	float *const *z_mean, *const *z_scale; /* [m] [n][latent_dim] */
	float *const *w_mean, *const *w_scale; /* [m] [n][private_dim] */
} mm_encoded;
MM_API mm_status mm_model_encode(mm_model *model, uint32_t n, const float *const *x, const mm_options *options,
                                 const mm_encoded *out, mm_error *e);

/* What the generator makes of n latents, all of which must be given: x[m]; NULL: not wanted. Looks at progress. */
MM_API mm_status mm_model_decode(mm_model *model, uint32_t n, const mm_latents *latents, const mm_options *options,
                                 float *const *x, mm_error *e);

/* n tuples, in place, down the energy by the data chain. With a bound in the checkpoint's settings ([sample] rise_max)
 * a tuple in which the terms that say what fits would rise beyond it stays as it is. held, which may be NULL and so may
 * be each of its pointers: held[m] [n], not 0: stays as it is. MM_EUNSUPPORTED without an energy model. Looks at
 * number, x_steps, progress. */
MM_API mm_status mm_model_revise(mm_model *model, uint32_t n, const uint8_t *const *held, const mm_options *options,
                                 float *const *x, mm_error *e);

/* n latents, in place, by the posterior chain of what is given, then by the latent chain, if there is to be one. given
 * and lacking as in mm_model_translate; the w of what is not given stay. Looks at number, z_steps, guide_steps,
 * progress. */
MM_API mm_status mm_model_revise_latents(mm_model *model, uint32_t n, const float *const *given,
                                         const uint8_t *const *lacking, const mm_options *options,
                                         const mm_latents *latents, mm_error *e);

/* ---------------------------------------------------------------- samples as files, words and pictures */

/* One sample, floats of the modality, from a file that the plugin reads. MM_EUNSUPPORTED: it reads none. */
MM_API mm_status mm_model_read_file(mm_model *model, uint32_t modality, const char *path, float *x, mm_error *e);
/* One sample from words, UTF-8. */
MM_API mm_status mm_model_read_text(mm_model *model, uint32_t modality, const char *text, float *x, mm_error *e);
/* One sample to a file, of the kind that file_suffix names. */
MM_API mm_status mm_model_render(mm_model *model, uint32_t modality, const float *x, const char *path, mm_error *e);
/* One sample as 8-bit RGB, picture_width by picture_height; row y begins at rgb + y * stride, stride in bytes. */
MM_API mm_status mm_model_draw(mm_model *model, uint32_t modality, const float *x, uint8_t *rgb, size_t stride,
                               mm_error *e);

#ifdef __cplusplus
}
#endif
#endif
