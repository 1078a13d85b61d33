/* wrong_magic.c - defect: the magic number. */
#include "toy.h"

TOY_PLUGIN("org.example.wrong-magic", entry.magic = 0x12345678u)
