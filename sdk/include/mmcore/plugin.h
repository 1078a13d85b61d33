/* mmcore/plugin.h - plugin ABI 1: what a modality plugin exports.
 *
 * A plugin is a shared object with exactly one exported symbol, mm_plugin_query_1, which returns a pointer to static
 * constant data. docs/ABI.md has the rules, the state machine and the policy on versions.
 *
 * Life of a plugin: query [scan] -> load [main, once] -> per instance create [main] -> describe -> (build_*, data set
 * calls, render in any order) -> destroy [main] -> unload [main, once]. The code stays mapped until the process ends.
 * A callback never exits, aborts, longjmps or throws over the boundary and leaves its outputs untouched when it fails.
 * `e` is never NULL: fill code and message, then return the code. What a plugin allocates it also frees; memory from
 * the host's alloc goes back to its release. */
#ifndef MMCORE_PLUGIN_H
#define MMCORE_PLUGIN_H

#include <mmcore/host.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MM_ABI_MAJOR 1
#define MM_ABI_MINOR 1              /* newest minor this header describes */
#define MM_PLUGIN_MAGIC 0x31504D4Du /* "MMP1" in memory on little-endian machines */
#define MM_PLUGIN_QUERY_SYMBOL "mm_plugin_query_1"
/* What must agree exactly: pointer size, rank limit, size of a real, fork id (change it in a fork). */
#define MM_ABI_TAG ((uint32_t)(sizeof(void *) | (MM_MAX_RANK << 8) | (sizeof(float) << 16) | (0u << 24)))

#if defined(__GNUC__) || defined(__clang__)
#define MM_PLUGIN_EXPORT __attribute__((visibility("default")))
#else
#define MM_PLUGIN_EXPORT
#endif

enum { MM_SUPPORT_BOX = 1 /* lo..hi */, MM_SUPPORT_SIMPLEX = 2 /* last axis sums to 1 */, MM_SUPPORT_REAL = 3 };
enum {
	MM_LIKELIHOOD_GAUSSIAN = 1,
	MM_LIKELIHOOD_LAPLACE = 2,
	MM_LIKELIHOOD_BERNOULLI = 3,
	MM_LIKELIHOOD_CATEGORICAL = 4
};

/* What an instance is, filled by describe. Unknown enum values are refused by the host. The INI may exchange gaussian
 * and laplace for each other; bernoulli and categorical are as the plugin says, since the decoder's output differs. A
 * categorical needs the support SIMPLEX, a bernoulli a box within 0..1. */
typedef struct mm_modality_info {
	uint32_t struct_size;
	mm_shape shape;          /* of one sample, e.g. [28, 28, 3] */
	uint32_t support;        /* MM_SUPPORT_... */
	float lo, hi;            /* of a box; pictures are -1..1 */
	uint32_t likelihood;     /* default, MM_LIKELIHOOD_...; the INI may override it */
	float likelihood_scale;  /* sigma of a gaussian, b of a laplace; ignored otherwise */
	float likelihood_weight; /* default weight in U, the generator's loss and ELBOs; usually 1 */
	uint32_t n_classes;      /* labels are 0..n_classes-1; 0: no labels */
} mm_modality_info;

/* build_encoder: from x record the heads of q(z | x) and, when private_dim > 0, q(w | x).
 * raw scales are before the scale head (softplus or exp, the host's choice). */
typedef struct mm_encoder_io {
	uint32_t struct_size;
	mm_tensor x; /* in: a sample, shape as described */
	int32_t latent_dim, private_dim;
	mm_tensor z_loc, z_raw; /* out: [latent_dim] each */
	mm_tensor w_loc, w_raw; /* out: [private_dim] each; MM_NO_TENSOR when private_dim is 0 */
} mm_encoder_io;

/* build_decoder: from z (and w) record the likelihood's parameter: the mean (gaussian, laplace), in -1..1 units of the
 * modality; logits (bernoulli, categorical). */
typedef struct mm_decoder_io {
	uint32_t struct_size;
	mm_tensor z, w; /* in: [latent_dim], [private_dim] or MM_NO_TENSOR */
	mm_tensor out;  /* out: shape as described */
} mm_decoder_io;

/* build_features: from x record the energy features: a map [h, w, c] for the trunk or a vector [c] for the head. */
typedef struct mm_features_io {
	uint32_t struct_size;
	mm_tensor x;
	mm_tensor features; /* out */
} mm_features_io;

enum { MM_SPLIT_TRAIN = 0, MM_SPLIT_TEST = 1 };

typedef struct mm_instance mm_instance; /* the plugin's own: one modality */
typedef struct mm_dataset mm_dataset;   /* the plugin's own: one split of one modality's data */

typedef struct mm_modality_desc {
	uint32_t struct_size;
	uint32_t flags;            /* 0 in minor 0; a host refuses bits it does not know */
	const char *id;            /* unique in the plugin: [a-z0-9.-], e.g. "styled-digit" */
	const char *default_name;  /* section name when the user gives none, at most 31 bytes, e.g. "digit" */
	const char *summary;       /* one line for `mmcore plugins` */
	const char *render_suffix; /* ".png"; ".txt": what is written is a text, which commands print and put into tables */

	/* [main] self is what load returned; reads the settings. *out untouched on failure. */
	mm_status (*create)(void *self, mm_config *config, mm_instance **out, mm_error *e);
	void (*destroy)(mm_instance *i);                                           /* [main] accepts NULL */
	mm_status (*describe)(mm_instance *i, mm_modality_info *out, mm_error *e); /* [main] pure */

	mm_status (*build_encoder)(mm_instance *i, mm_graph *g, mm_encoder_io *io, mm_error *e); /* [build] may be called */
	mm_status (*build_decoder)(mm_instance *i, mm_graph *g, mm_decoder_io *io,
	                           mm_error *e); /* several times and must */
	mm_status (*build_features)(mm_instance *i, mm_graph *g, mm_features_io *io,
	                            mm_error *e); /* record the same each time */

	/* Data. Modalities are aligned by key; a data set holds a key at most once. */
	mm_status (*open)(mm_instance *i, int32_t split, mm_dataset **out, mm_error *e); /* [main] */
	void (*close)(mm_dataset *d);                                                    /* [main] accepts NULL */
	uint64_t (*count)(const mm_dataset *d);                                          /* [any] */
	mm_status (*key)(const mm_dataset *d, uint64_t index, char *out, size_t size,
	                 mm_error *e);                         /* [main] NUL-terminated */
	int32_t (*label)(const mm_dataset *d, uint64_t index); /* [any] -1: none */
	/* [data] writes one sample, product of shape floats. Deterministic: a function of index and the run's seed. */
	mm_status (*read)(mm_dataset *d, uint64_t index, float *out, mm_error *e);

	/* [main] writes one sample to a new file. */
	mm_status (*render)(mm_instance *i, const float *x, const char *path, mm_error *e);

	/* [any] pure; NULL for unknown ids. Ids and structs of extensions below. May itself be NULL. */
	const void *(*get_extension)(const char *id);
} mm_modality_desc;

/* Extension: how a sample looks in a grid. */
#define MM_MODALITY_PICTURE "mm.modality.picture/1"
typedef struct mm_modality_picture {
	uint32_t struct_size;
	mm_status (*size)(mm_instance *i, uint32_t *width, uint32_t *height, mm_error *e); /* [main] at most 512 x 512 */
	/* [main] 8-bit RGB, row y at rgb + y * stride bytes. */
	mm_status (*draw)(mm_instance *i, const float *x, uint8_t *rgb, size_t stride, mm_error *e);
} mm_modality_picture;

/* Extension: samples from what a user names on the command line, for translation and scores. What comes back is what
 * the data set's read would have written: product of shape floats, within the support. */
#define MM_MODALITY_FILE "mm.modality.file/1"
typedef struct mm_modality_file {
	uint32_t struct_size;
	/* [main] one sample from a file. MM_EIO: it cannot be read; MM_EFORMAT: its contents are not one sample, and the
	 * message says what was found and what is needed. The file may be anything, and large. */
	mm_status (*read_file)(mm_instance *i, const char *path, float *out, mm_error *e);
	/* [main] one sample from the words themselves, NUL-terminated UTF-8. May be NULL: only files. */
	mm_status (*read_text)(mm_instance *i, const char *text, float *out, mm_error *e);
} mm_modality_file;

/* Extension: a classifier that judges samples in evaluation (coherence, Frechet distance). The host trains it on the
 * labels of the training split, apart from the three models. Not used where n_classes is below 2. */
#define MM_MODALITY_CLASSIFIER "mm.modality.classifier/1"

/* build: from x record the logits and the features, the vector whose distribution the Frechet distance compares:
 * usually the last hidden layer. */
typedef struct mm_classifier_io {
	uint32_t struct_size;
	mm_tensor x;        /* in: a sample, shape as described */
	int32_t n_classes;  /* in: as described */
	mm_tensor logits;   /* out: [n_classes] */
	mm_tensor features; /* out: [c] */
} mm_classifier_io;

typedef struct mm_modality_classifier {
	uint32_t struct_size;
	const char *features_name; /* names the features in results: 1..31 of [a-z0-9.-], e.g. "hidden128" */
	/* [build] may be called several times and must record the same each time. */
	mm_status (*build)(mm_instance *i, mm_graph *g, mm_classifier_io *io, mm_error *e);
} mm_modality_classifier;

/* Extension: samples as they are once saved. Evaluation judges what a user would get, not what the networks gave out:
 * words, for instance, not vectors near words. Pictures in a box need none: the host rounds them to 8 bits. */
#define MM_MODALITY_SAVED "mm.modality.saved/1"
typedef struct mm_modality_saved {
	uint32_t struct_size;
	/* [any] x: one sample, product of shape floats; becomes what reading its saved form would give. Doing it twice
	 * changes nothing. */
	void (*round)(const mm_instance *i, float *x);
} mm_modality_saved;

/* Extension: what the encoders see in training instead of a sample: words left out, parts of a picture covered. What is
 * decoded is still compared with the sample as read, so that encoders learn to see what is not there (Im et al. 2017,
 * denoising VAEs). */
#define MM_MODALITY_VARIATION "mm.modality.variation/1"
typedef struct mm_modality_variation {
	uint32_t struct_size;
	/* [data] x: one sample of the training split as read gave it, product of shape floats; becomes what is seen of it,
	 * within the support, or stays. `draw` is another for every sample that is ever taken in a run: a function of
	 * instance, x and draw, whose chance comes from the host's words(stream, draw, block). Must not change what others
	 * see of the instance. */
	void (*vary)(const mm_instance *i, uint64_t draw, float *x);
} mm_modality_variation;

/* Extension: what an instance learned from its data before training, such as a vocabulary. A checkpoint keeps it, so
 * that a trained model can be used where the data is not, and cannot meet other data by accident. */
#define MM_MODALITY_STATE "mm.modality.state/1"
typedef struct mm_modality_state {
	uint32_t struct_size;
	/* [main] after describe. *bytes is a block of the host's alloc, which the host releases, of at least 1 byte. The
	 * same state gives the same bytes. */
	mm_status (*save)(mm_instance *i, void **bytes, size_t *size, mm_error *e);
	/* [main] once, between create and describe: from now on the instance takes nothing from its data but samples. Bytes
	 * that are no state, or that belong to other settings, are an error; they may be anything. */
	mm_status (*load)(mm_instance *i, const void *bytes, size_t size, mm_error *e);
} mm_modality_state;

/* Extension: which samples belong together so closely that the host must not part them when it sets some of the
 * training data aside: those of one recording, speaker, patient, page. Without it each sample stands alone. */
#define MM_MODALITY_GROUP "mm.modality.group/1"
typedef struct mm_modality_group {
	uint32_t struct_size;
	/* [main] a number that the samples of one group share and others do not, such as a 64-bit hash of its name. Pure.
	 */
	uint64_t (*group)(const mm_dataset *d, uint64_t index);
} mm_modality_group;

/* Extension: the settings that create asks for, for those who look at a plugin without an instance: `mmcore info`,
 * `mmcore validate`. Since minor 1. */
#define MM_MODALITY_SETTINGS "mm.modality.settings/1"
enum {
	MM_SETTING_INT = 1,    /* min..max */
	MM_SETTING_REAL = 2,   /* min..max */
	MM_SETTING_SWITCH = 3, /* yes or no */
	MM_SETTING_CHOICE = 4, /* one of `names` */
	MM_SETTING_TEXT = 5,
	MM_SETTING_PATH = 6
};
typedef struct mm_setting {
	const char *key;
	int32_t kind;             /* MM_SETTING_... */
	const char *text;         /* of a text or path: its default, or NULL */
	double fallback;          /* of the others: the default; of a choice, an index */
	double min, max;          /* of numbers */
	const char *const *names; /* of a choice, NULL-terminated */
	const char *help;         /* a sentence */
} mm_setting;
typedef struct mm_modality_settings {
	uint32_t struct_size;
	/* [any] static constant data; NULL behind the last. */
	const mm_setting *(*at)(uint32_t index);
} mm_modality_settings;

typedef struct mm_plugin_entry {
	uint32_t magic; /* MM_PLUGIN_MAGIC */
	uint32_t struct_size;
	uint16_t abi_major;                                 /* MM_ABI_MAJOR */
	uint16_t abi_minor_built;                           /* MM_ABI_MINOR of the header used */
	uint16_t abi_minor_required;                        /* lowest host minor the plugin runs on */
	uint16_t flags;                                     /* 0; a host refuses bits it does not know */
	uint32_t abi_tag;                                   /* MM_ABI_TAG */
	uint32_t n_modalities;                              /* at least 1 */
	const char *id, *name, *vendor, *version, *license; /* id: reverse DNS, [a-z0-9.-], at most 63 bytes */
	const mm_modality_desc *const *modalities;          /* static, readable before load */
	mm_status (*load)(const mm_host_api *api, void **self, mm_error *e); /* [main] once */
	const void *(*get_extension)(const char *id);                        /* [any] pure; may be NULL */
	/* [main] once, after the last instance is gone and only if load succeeded: frees what load made. The host's tables
	 * live until it returns. May be NULL. */
	void (*unload)(void *self);
} mm_plugin_entry;

typedef const mm_plugin_entry *(*mm_plugin_query)(void);
MM_PLUGIN_EXPORT const mm_plugin_entry *mm_plugin_query_1(void);

#ifdef __cplusplus
}
#endif
#endif
