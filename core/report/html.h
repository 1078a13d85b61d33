/* html.h - writing HTML into a stream: text that others wrote, files as data URLs. */
#ifndef MMI_HTML_H
#define MMI_HTML_H

#include "base/base.h"

#include <stdio.h>

/* Text with &, <, > and quotes replaced, so that it is text wherever it stands. Errors show in ferror(out). */
void mmi_html_text(FILE *out, const char *text);
/* Bytes in base64 (RFC 4648). */
void mmi_html_base64(FILE *out, const uint8_t *data, size_t bytes);

#endif
