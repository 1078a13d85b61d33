/* ref64.c - the reference backend in double precision: what gradients are checked on. */
#define real double
#define REF_BACKEND mmi_backend_ref64
#define REF_NAME "ref64"
#include "backend/ref/ref.inc.c"
