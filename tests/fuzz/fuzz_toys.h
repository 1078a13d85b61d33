/* fuzz_toys.h - a setup of two toys (tests/badplugins/toy.c) and a model of them. */
#ifndef FUZZ_TOYS_H
#define FUZZ_TOYS_H

#include "fuzz.h"
#include "model/model.h"
#include "run/setup.h"

/* Made once; the process ends with it. */
mmi_setup *fuzz_toys(void);
mmi_model *fuzz_toy_model(void);

#endif
