/* elf.c - what a shared object exports and needs, read from its file, every offset checked against its size. */
#include "mmi_build.h"

#include "store/files.h"
#include "validate/elf.h"

#include <link.h>
#include <string.h>

#define LARGEST ((size_t)1 << 30)

struct mmi_elf {
	char *bytes;
	size_t size;
	const ElfW(Sym) * symbols;
	size_t n_symbols, names_size;
	const char *names; /* of symbols and of what is needed: one table */
	const ElfW(Dyn) * dynamic;
	size_t n_dynamic;
};

static bool inside(const mmi_elf *f, uint64_t offset, uint64_t bytes)
{
	return offset % sizeof(ElfW(Off)) == 0 && offset <= f->size && bytes <= f->size - offset;
}

static const ElfW(Ehdr) * header(const mmi_elf *f)
{
	return (const ElfW(Ehdr) *)(const void *)f->bytes;
}

static bool known(const mmi_elf *f)
{
	const ElfW(Ehdr) *h = header(f);
	return f->size >= sizeof *h && !memcmp(h->e_ident, ELFMAG, SELFMAG) &&
	       h->e_ident[EI_CLASS] == (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32) &&
	       h->e_shentsize == sizeof(ElfW(Shdr)) && inside(f, h->e_shoff, (uint64_t)h->e_shnum * sizeof(ElfW(Shdr)));
}

static const ElfW(Shdr) * sections(const mmi_elf *f)
{
	return (const ElfW(Shdr) *)(const void *)(f->bytes + header(f)->e_shoff);
}

static bool find_names(mmi_elf *f, const ElfW(Shdr) * s)
{
	if (s->sh_link >= header(f)->e_shnum)
		return false;
	const ElfW(Shdr) *n = &sections(f)[s->sh_link];
	if (n->sh_offset > f->size || n->sh_size > f->size - n->sh_offset || !n->sh_size ||
	    f->bytes[n->sh_offset + n->sh_size - 1])
		return false;
	f->names = f->bytes + n->sh_offset;
	f->names_size = n->sh_size;
	return true;
}

static bool find_tables(mmi_elf *f)
{
	for (size_t i = 0; i < header(f)->e_shnum; i++) {
		const ElfW(Shdr) *s = &sections(f)[i];
		if ((s->sh_type != SHT_DYNSYM && s->sh_type != SHT_DYNAMIC) || !inside(f, s->sh_offset, s->sh_size))
			continue;
		if (!find_names(f, s))
			return false;
		if (s->sh_type == SHT_DYNSYM) {
			f->symbols = (const void *)(f->bytes + s->sh_offset);
			f->n_symbols = s->sh_size / sizeof *f->symbols;
		} else {
			f->dynamic = (const void *)(f->bytes + s->sh_offset);
			f->n_dynamic = s->sh_size / sizeof *f->dynamic;
		}
	}
	return f->symbols && f->dynamic;
}

mm_status mmi_elf_open(const char *path, mmi_elf **out, mm_error *e)
{
	mmi_elf *f = mmi_alloc(1, sizeof *f);
	if (!f)
		return mmi_fail(e, MM_ENOMEM, "out of memory");
	mm_status status = mmi_read_file(path, LARGEST, &f->bytes, &f->size, e);
	if (status == MM_OK && !(known(f) && find_tables(f)))
		status = mmi_fail(e, MM_EUNSUPPORTED, "it is no ELF file with tables of symbols that this program can read");
	if (status != MM_OK) {
		mmi_elf_close(f);
		return status;
	}
	*out = f;
	return MM_OK;
}

void mmi_elf_close(mmi_elf *f)
{
	if (!f)
		return;
	mmi_free(f->bytes);
	mmi_free(f);
}

static const char *name_at(const mmi_elf *f, uint64_t offset)
{
	return offset < f->names_size ? f->names + offset : "";
}

static bool visible(const ElfW(Sym) * s)
{
	const unsigned bind = s->st_info >> 4, seen = s->st_other & 3;
	return s->st_shndx != SHN_UNDEF && bind != STB_LOCAL && (seen == STV_DEFAULT || seen == STV_PROTECTED);
}

const char *mmi_elf_export(const mmi_elf *f, size_t i, bool *weak)
{
	for (size_t k = 0; k < f->n_symbols; k++)
		if (visible(&f->symbols[k]) && i-- == 0) {
			*weak = f->symbols[k].st_info >> 4 != STB_GLOBAL;
			return name_at(f, f->symbols[k].st_name);
		}
	return NULL;
}

static const ElfW(Dyn) * entry(const mmi_elf *f, ElfW(Sxword) tag, size_t i)
{
	for (size_t k = 0; k < f->n_dynamic; k++)
		if (f->dynamic[k].d_tag == tag && i-- == 0)
			return &f->dynamic[k];
	return NULL;
}

const char *mmi_elf_needed(const mmi_elf *f, size_t i)
{
	const ElfW(Dyn) *d = entry(f, DT_NEEDED, i);
	return d ? name_at(f, d->d_un.d_val) : NULL;
}

const char *mmi_elf_path(const mmi_elf *f)
{
	const ElfW(Dyn) *d = entry(f, DT_RUNPATH, 0);
	if (!d)
		d = entry(f, DT_RPATH, 0);
	return d ? name_at(f, d->d_un.d_val) : NULL;
}

bool mmi_elf_writes_code(const mmi_elf *f)
{
	const ElfW(Dyn) *flags = entry(f, DT_FLAGS, 0);
	return entry(f, DT_TEXTREL, 0) || (flags && (flags->d_un.d_val & DF_TEXTREL));
}

bool mmi_elf_executable_stack(const mmi_elf *f)
{
	const ElfW(Ehdr) *h = header(f);
	if (h->e_phentsize != sizeof(ElfW(Phdr)) || !inside(f, h->e_phoff, (uint64_t)h->e_phnum * sizeof(ElfW(Phdr))))
		return false;
	const ElfW(Phdr) *p = (const void *)(f->bytes + h->e_phoff);
	for (size_t i = 0; i < h->e_phnum; i++)
		if (p[i].p_type == PT_GNU_STACK && (p[i].p_flags & PF_X))
			return true;
	return false;
}
