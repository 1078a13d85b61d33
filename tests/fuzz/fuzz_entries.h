/* fuzz_entries.h - what the harnesses of people's own data share. */
#ifndef FUZZ_ENTRIES_H
#define FUZZ_ENTRIES_H

#include "fuzz_host.h"
#include "common/entries.h"

/* Opens a split, or both and the classes as well, and reads all that there is. */
void fuzz_open_entries(const pairs_source *s, bool all);
/* The next n parts of an input, each a text of its own. */
void fuzz_texts(const uint8_t **at, const uint8_t *end, char **text, int n);

#endif
