/* toy_newer.c - built with headers of a later minor, whose structs have grown, but content with this host. */
#include "toy.h"

typedef struct newer_entry {
	mm_plugin_entry known;
	void *(*later)(int);
} newer_entry;

typedef struct newer_desc {
	mm_modality_desc known;
	void *later[4];
} newer_desc;

const mm_plugin_entry *mm_plugin_query_1(void)
{
	static newer_desc desc;
	static const mm_modality_desc *const list[] = { &desc.known };
	static newer_entry entry;

	toy_fill(&entry.known, &desc.known, list, "org.example.toy-newer");
	desc.known.struct_size = sizeof desc;
	desc.later[0] = &desc;
	entry.known.struct_size = sizeof entry;
	entry.known.abi_minor_built = 9;
	return &entry.known;
}
