/* no_modality.c - defect: a plugin of nothing. */
#include "toy.h"

TOY_PLUGIN("org.example.no-modality", entry.n_modalities = 0)
