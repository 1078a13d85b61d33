/* leaf.c - what a graph begins with: inputs, parameters and constants. */
#include "mmi_build.h"

#include "engine/ops/rules.h"

MMI_OP(INPUT, .name = "input", .leaf = true);
MMI_OP(PARAM, .name = "param", .leaf = true);
MMI_OP(CONST, .name = "const", .leaf = true);
