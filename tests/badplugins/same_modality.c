/* same_modality.c - defect: two modalities with one id. */
#include "toy.h"

TOY_PLUGIN("org.example.same-modality", entry.n_modalities = 2)
