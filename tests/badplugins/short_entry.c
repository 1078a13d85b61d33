/* short_entry.c - defect: the entry ends before its required members. */
#include "toy.h"

TOY_PLUGIN("org.example.short-entry", entry.struct_size = MM_SIZE_THROUGH(mm_plugin_entry, id))
