/* toy_old.c - built long ago: structs end before the members that came later, and what lies behind is not for the host.
 */
#include "toy.h"

#define NOT_A_FUNCTION ((uintptr_t)16)

TOY_PLUGIN("org.example.toy-old", desc.struct_size = MM_SIZE_THROUGH(mm_modality_desc, render);
           desc.get_extension = (const void *(*)(const char *))NOT_A_FUNCTION;
           entry.struct_size = MM_SIZE_THROUGH(mm_plugin_entry, load);
           entry.get_extension = (const void *(*)(const char *))NOT_A_FUNCTION;
           entry.unload = (void (*)(void *))NOT_A_FUNCTION)
