/* eval_rig.h - tiny runs of two toys, their judge, and evaluations of them. */
#ifndef MMI_EVAL_RIG_H
#define MMI_EVAL_RIG_H

#include "store_rig.h"

#include "eval/evaluate.h"
#include "judge/judge.h"
#include "train/train.h"

#define TWO "[a]\nplugin = " BADPLUGIN_DIR "/toy.so\n[b]\nplugin = " BADPLUGIN_DIR "/toy.so\n"

extern const mmi_judge_training eval_quick;
extern const mmi_judge_hooks eval_quiet;

/* The sections of the modalities behind settings of a run of 20 iterations; set: "section.key=value" or NULL. */
void eval_open_setup(rig *r, const char *modalities, const char *set, mmi_setup *out);
/* A judge of TWO in the rig's folder, and where it is. */
const char *eval_make_judge(rig *r);
/* Trains on TWO in the rig's folder "run". */
void eval_make_run_with(rig *r, const char *set, char *checkpoint, size_t size);
void eval_make_run(rig *r, char *checkpoint, size_t size);
/* All figures of 40 samples and test tuples. */
mmi_eval_request eval_request_of(const char *checkpoint, const char *judge);
/* Fails the test where there is none. */
double eval_value(const mmi_report *f, const char *name, const char *of, const char *variant);

#endif
