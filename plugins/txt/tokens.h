/* tokens.h - captions as tokens: lower-case words and single punctuation marks. */
#ifndef TXT_TOKENS_H
#define TXT_TOKENS_H

#include <stdbool.h>
#include <stddef.h>

#define TOKEN_BYTES 64 /* with the NUL; longer words are cut at a character */

/* The next token of UTF-8 text from *at on, which moves behind it; false at the end. Words are runs of letters, digits
 * and whatever is neither blank nor punctuation, with single apostrophes and hyphens inside. Letters of the Latin,
 * Greek and Cyrillic alphabets become small. */
bool token_next(const char **at, char token[TOKEN_BYTES]);
/* The same without punctuation marks unless `marks`. */
bool token_next_of(const char **at, bool marks, char token[TOKEN_BYTES]);
/* Whether text puts a blank between two tokens. */
bool token_blank_between(const char *left, const char *right);

#endif
