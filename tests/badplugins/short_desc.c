/* short_desc.c - defect: the modality's struct ends before its required members. */
#include "toy.h"

TOY_PLUGIN("org.example.short-desc", desc.struct_size = MM_SIZE_THROUGH(mm_modality_desc, describe))
