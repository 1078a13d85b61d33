/* modality.h - one modality of a run: a plugin's instance with the settings that the core keeps for it.
 *
 * The core's own keys in an instance's section: plugin, modality (which of the plugin's; its first by default), root,
 * likelihood, likelihood_weight, x_scale. The rest belongs to the plugin. */
#ifndef MMI_MODALITY_H
#define MMI_MODALITY_H

#include "config/config.h"
#include "engine/graph.h"
#include <mmcore/plugin.h>

typedef struct mmi_plugin mmi_plugin; /* loader.h */
typedef struct mmi_registry mmi_registry;

typedef struct mmi_modality {
	char name[32]; /* instance and INI section: "m0" */
	const mmi_plugin *plugin;
	const mm_modality_desc *desc; /* full-sized copy with zeros behind what the plugin knows */
	mm_instance *instance;
	mm_modality_info info; /* as described, likelihood and weight overridden by the INI; lo and hi are 0 and 1
	                        * on a simplex, infinite where the support is unbounded; unused dims are 0 */
	const mm_modality_picture *picture;       /* extension, or NULL */
	const mm_modality_file *file;             /* extension, or NULL */
	const mm_modality_saved *saved;           /* extension, or NULL */
	const mm_modality_variation *variation;   /* extension, or NULL */
	const mm_modality_group *group;           /* extension, or NULL */
	const mm_modality_classifier *classifier; /* extension, or NULL; NULL without classes too */
	void *state; /* what the plugin keeps in checkpoints: host memory; NULL without the extension */
	size_t state_bytes;
	int64_t count;     /* floats in one sample */
	double x_scale;    /* multiplies both s and n of the data chain */
	mm_config *config; /* the handle the plugin got */
} mmi_modality;

/* What a checkpoint keeps of a modality's plugin. */
typedef struct mmi_modality_state {
	const char *owner; /* "org.mmcore.img/picture": who served it; NULL: not known */
	const void *bytes; /* what the plugin saved, or NULL */
	size_t size;
	const char *version; /* "1.2", of that plugin; NULL: not known */
} mmi_modality_state;

/* Makes the instance for section `name`. plugin NULL: the section's key `plugin` says which; otherwise it is recorded
 * as that key's value, so that the resolved INI reads back. id NULL: the key `modality`. *out is written only on
 * success and may be moved; the registry must outlive it, the settings need not. */
mm_status mmi_modality_create(mmi_registry *registry, mmi_config *config, const char *name, const mmi_plugin *plugin,
                              const char *id, mmi_modality *out, mm_error *e);
/* The same with what a checkpoint kept (NULL: none, the plugin learns it from its data), used during the call. Refused
 * when another plugin or another of its modalities was the owner, or a version of it whose first number differs. */
mm_status mmi_modality_restore(mmi_registry *registry, mmi_config *config, const char *name, const mmi_plugin *plugin,
                               const char *id, const mmi_modality_state *state, mmi_modality *out, mm_error *e);
/* "org.mmcore.img/picture": plugin and modality, as checkpoints remember them; mmi_free, NULL when out of memory. */
char *mmi_modality_owner(const mmi_modality *m);
/* Destroys the instance; accepts an all-zero struct and NULL. */
void mmi_modality_destroy(mmi_modality *m);

/* Records the branch in g (scope and parameter store set before) and checks what came back. io's outputs are tensors of
 * the right shape; w_loc and w_raw are MM_NO_TENSOR when private_dim is 0. */
mm_status mmi_modality_build_encoder(const mmi_modality *m, mmi_graph *g, mm_tensor x, int32_t latent_dim,
                                     int32_t private_dim, mm_encoder_io *io, mm_error *e);
/* w: MM_NO_TENSOR without private latents. */
mm_status mmi_modality_build_decoder(const mmi_modality *m, mmi_graph *g, mm_tensor z, mm_tensor w, mm_tensor *out,
                                     mm_error *e);
/* *features has rank 1 (a vector) or 3 (a map). */
mm_status mmi_modality_build_features(const mmi_modality *m, mmi_graph *g, mm_tensor x, mm_tensor *features,
                                      mm_error *e);

/* A classifier's two outputs, [n_classes] and [c]. MM_EUNSUPPORTED without the classifier extension. */
mm_status mmi_modality_build_classifier(const mmi_modality *m, mmi_graph *g, mm_tensor x, mm_tensor *logits,
                                        mm_tensor *features, mm_error *e);

/* The plugin's data and pictures with checked results: contract.h. MM_SPLIT_...; key: the sample's, for messages. */
mm_status mmi_modality_open(const mmi_modality *m, int32_t split, mm_dataset **out, mm_error *e);
void mmi_modality_close(const mmi_modality *m, mm_dataset *d); /* d may be NULL */
uint64_t mmi_modality_count(const mmi_modality *m, const mm_dataset *d);
/* key: MMI_KEY_BYTES. */
mm_status mmi_modality_key(const mmi_modality *m, const mm_dataset *d, uint64_t index, char *key, mm_error *e);
mm_status mmi_modality_label(const mmi_modality *m, const mm_dataset *d, uint64_t index, const char *key,
                             int32_t *label, mm_error *e);
/* Only with the extension. */
uint64_t mmi_modality_group(const mmi_modality *m, const mm_dataset *d, uint64_t index);
/* x: m->count floats, scratch when this fails. */
mm_status mmi_modality_read(const mmi_modality *m, mm_dataset *d, uint64_t index, const char *key, float *x,
                            mm_error *e);
/* Only with the extension. */
mm_status mmi_modality_vary(const mmi_modality *m, uint64_t draw, const char *key, float *x, mm_error *e);
void mmi_modality_round(const mmi_modality *m, float *x);
mm_status mmi_modality_render(const mmi_modality *m, const float *x, const char *path, mm_error *e);
/* MM_EUNSUPPORTED without the picture extension. */
mm_status mmi_modality_picture_size(const mmi_modality *m, uint32_t *width, uint32_t *height, mm_error *e);
mm_status mmi_modality_draw(const mmi_modality *m, const float *x, uint8_t *rgb, size_t stride, mm_error *e);
/* One sample, m->count floats, from a file or from words, as `what` says. MM_EUNSUPPORTED where the plugin cannot.
 * Values are finite and within the support. out is scratch when this fails. */
typedef enum { MMI_GIVEN_FILE, MMI_GIVEN_WORDS } mmi_given_kind;
mm_status mmi_modality_read_as(const mmi_modality *m, mmi_given_kind what, const char *given, float *out, mm_error *e);
/* Words whatever they look like: between double quotes. */
bool mmi_given_quoted(const char *given);
/* One sample, m->count floats, as a user names it: if `given` is a file it is read, else it is the sample in words, if
 * the plugin takes words and they do not look like a file's name. @FILE is a file, "WORDS" in quotes are words.
 * MM_EUNSUPPORTED without the file extension; MM_EIO when there is no such file and words will not do. Values are
 * finite and within the support. out is scratch when this fails. */
mm_status mmi_modality_read_given(const mmi_modality *m, const char *given, float *out, mm_error *e);

#endif
