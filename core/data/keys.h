/* keys.h - a set of texts, numbered in the order they came, found by hashing. */
#ifndef MMI_KEYS_H
#define MMI_KEYS_H

#include "base/base.h"

#define MMI_NO_KEY UINT32_MAX

typedef struct mmi_keys mmi_keys;

/* For at most `limit` keys, fewer than MMI_NO_KEY. */
mm_status mmi_keys_create(uint32_t limit, mmi_keys **out, mm_error *e);
void mmi_keys_destroy(mmi_keys *k);
/* The key gets the next number; MMI_NO_KEY in *number when it is there already. */
mm_status mmi_keys_add(mmi_keys *k, const char *text, uint32_t *number, mm_error *e);
uint32_t mmi_keys_find(const mmi_keys *k, const char *text); /* MMI_NO_KEY: none */
uint32_t mmi_keys_count(const mmi_keys *k);
const char *mmi_keys_text(const mmi_keys *k, uint32_t number);

#endif
