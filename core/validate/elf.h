/* elf.h - what a shared object exports and needs, read from its file. */
#ifndef MMI_ELF_H
#define MMI_ELF_H

#include "base/base.h"

typedef struct mmi_elf mmi_elf;

/* MM_EUNSUPPORTED: no ELF file of this machine's class, or one without the tables that say it. */
mm_status mmi_elf_open(const char *path, mmi_elf **out, mm_error *e);
void mmi_elf_close(mmi_elf *f);
/* Symbols others can see: the i-th one's name, or NULL behind the last. weak: of inline functions of C++, and the like.
 */
const char *mmi_elf_export(const mmi_elf *f, size_t i, bool *weak);
/* Libraries it needs, as it names them; NULL behind the last. */
const char *mmi_elf_needed(const mmi_elf *f, size_t i);
/* Where it has libraries looked for (RPATH, RUNPATH), or NULL. */
const char *mmi_elf_path(const mmi_elf *f);
bool mmi_elf_writes_code(const mmi_elf *f); /* TEXTREL */
bool mmi_elf_executable_stack(const mmi_elf *f);

#endif
