/* ref32.c - the reference backend in single precision. */
#define real float
#define REF_BACKEND mmi_backend_ref32
#define REF_NAME "ref32"
#include "backend/ref/ref.inc.c"
