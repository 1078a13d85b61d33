/* inputs.h - tuples that a user names: files or words for some or all modalities, or tuples of the test data. */
#ifndef MMI_INPUTS_H
#define MMI_INPUTS_H

#include "run/saved.h"

/* Reads tuple i into x[m], one sample each. */
typedef mm_status mmi_tuple_reader(void *ctx, uint32_t i, float *const *x, mm_error *e);

typedef struct mmi_inputs {
	uint32_t n;                                 /* tuples */
	float *x[MMI_MAX_MODALITIES];               /* [n][floats]: what is known of each modality; NULL: nothing */
	bool given[MMI_MAX_MODALITIES];             /* what the model is shown; implies x */
	const uint8_t *lacking[MMI_MAX_MODALITIES]; /* the caller's [n], 1: not given in this tuple after all; or NULL */
	bool test;                                  /* they are tuples of the test data */
	char **name;                                /* [n]: key of the test data, or what the user wrote */
	int32_t *label;                             /* [n]; -1: not known */
} mmi_inputs;

/* Each word is NAME=FILE, NAME=FILE,FILE or NAME=TEXT (mmi_modality_read_given tells which). A value is a list when its
 * first part is a file, or when the modality reads nothing but files; a name may come several times, which makes a list
 * too. Lists have the same length, or length 1, which serves all tuples. `option` is for messages: "--given". */
mm_status mmi_inputs_named(const mmi_model *model, const char *const *words, size_t n, const char *option,
                           mmi_inputs *out, mm_error *e);
/* Tuples of the test data by number; all modalities are known, those of `given` are given. */
mm_status mmi_inputs_test(const mmi_saved *s, const uint32_t *index, uint32_t n, const bool *given, const mmi_log *log,
                          mmi_inputs *out, mm_error *e);
void mmi_inputs_clear(mmi_inputs *in);

/* "m0" into its number; "m0,m2" into flags, one a modality. An unknown name is refused with those there are. */
mm_status mmi_name_parse(const mmi_model *model, const char *text, const char *option, int32_t *m, mm_error *e);
mm_status mmi_names_parse(const mmi_model *model, const char *text, const char *option, bool *flags, mm_error *e);
/* "0,3,7" into new memory (mmi_free). */
mm_status mmi_numbers_parse(const char *text, const char *option, uint32_t **out, uint32_t *n, mm_error *e);
/* 0 to n - 1 into new memory (mmi_free). */
mm_status mmi_numbers_first(uint32_t n, uint32_t **out, mm_error *e);

#endif
