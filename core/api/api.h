/* api.h - what the functions of libmmcore share: a model, and a call on it as a guest in the caller's process. */
#ifndef MMI_API_H
#define MMI_API_H

#include "run/saved.h"
#include "trained/hooks.h"
#include "trained/inputs.h"
#include <fenv.h>
#include <locale.h>
#include <mmcore/mmcore.h>
#include <pthread.h>
#include <sys/types.h>

#define MMI_API_ROWS 64u /* of a block: what the samplers of core/trained take at once */

enum { MMI_API_CHUNKS = 8 };

struct mm_model {
	mmi_saved saved;                       /* its sampler is one of these during a call, else NULL */
	mmi_sampler *samplers[MMI_API_CHUNKS]; /* of chunk 1, 2, 4, ..., made when a call first wants one */
	mmi_text_pair *meta;                   /* n_meta, sorted by key; copies */
	size_t n_meta;
	mm_modality_about about[MMI_MAX_MODALITIES];
	pthread_mutex_t lock; /* one call at a time */
	pid_t process;        /* whose threads compute */
	void (*log)(void *ctx, int32_t level, const char *text);
	void *log_ctx;
};

/* A call: the C locale and the default floating point mode for this thread, and a text for the caller's error. */
typedef struct mmi_visit {
	mm_model *model; /* locked; NULL: none */
	mm_error error, *out;
	fenv_t mode;
	locale_t own, before;
} mmi_visit;

/* out and model may be NULL; a failure has been told already. */
mm_status mmi_visit_begin(mmi_visit *v, mm_model *model, mm_error *out);
/* Passes the status on, with the text of v->error. */
mm_status mmi_visit_end(mmi_visit *v, mm_status status);
/* The same without a call. */
mm_status mmi_visit_tell(mm_status status, const mm_error *from, mm_error *out);

/* mmi_log.call: calls of class [main] into plugins take turns in the process. */
void mmi_guest_call(void *ctx, const struct mmi_call *call, bool inside);

/* The caller's struct, of whatever size it knows, over what `out` holds (its defaults). struct_size is the first member
 * of both. MM_EARG when it makes no sense. */
mm_status mmi_take_struct(const void *from, void *out, size_t size, const char *name, mm_error *e);
/* The other way: what the caller knows of it. */
mm_status mmi_give_struct(const void *from, size_t size, void *out, const char *name, mm_error *e);

/* Options of a call: the caller's or the defaults, and what the samplers are handed. */
typedef struct mmi_api_options {
	mm_options o;
	mmi_recipe_change steps;
	mmi_hooks hooks; /* ctx: this struct, which stays where it is */
	uint64_t done, total;
} mmi_api_options;
mm_status mmi_api_options_take(const mm_options *from, uint64_t rows, mmi_api_options *out, mm_error *e);

/* Has saved.sampler be one for this many rows: whole chunks are computed, so few rows want a small one, and so do rows
 * that threads are to share. */
mm_status mmi_api_sampler(mm_model *m, uint64_t rows, mm_error *e);

/* MM_EARG unless x has a pointer for each modality; `what`: the parameter's name. */
mm_status mmi_api_complete(const mm_model *m, const float *const *x, const char *what, mm_error *e);
/* The tuples of a call as inputs, views of the caller's arrays: each has something, and all of it is finite. */
mm_status mmi_api_inputs(const mm_model *m, uint32_t n, const float *const *given, const uint8_t *const *lacking,
                         mmi_inputs *out, mm_error *e);

#endif
