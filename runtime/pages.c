#define _GNU_SOURCE /* dl_iterate_phdr */
#include "runtime/pages.h"

#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* Whether the loader has written to the code: then it differs from the file. */
static bool is_relocated(const struct dl_phdr_info *object)
{
	for (size_t i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &object->dlpi_phdr[i];

		if (p->p_type != PT_DYNAMIC)
			continue;
		for (const ElfW(Dyn) *d = (const void *)(object->dlpi_addr + p->p_vaddr);
		     d->d_tag != DT_NULL; d++)
			if (d->d_tag == DT_TEXTREL
			    || (d->d_tag == DT_FLAGS && (d->d_un.d_val & DF_TEXTREL)))
				return true;
	}
	return false;
}

static int forget(struct dl_phdr_info *object, size_t size, void *ctx)
{
	const uintptr_t page = *(const uintptr_t *)ctx;

	(void)size;
	if (is_relocated(object))
		return 0;
	for (size_t i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &object->dlpi_phdr[i];
		const uintptr_t from = (object->dlpi_addr + p->p_vaddr) / page * page,
				to = (object->dlpi_addr + p->p_vaddr + p->p_filesz) / page * page;

		if (p->p_type == PT_LOAD && !(p->p_flags & PF_W) && from < to)
			madvise((void *)from, to - from, MADV_DONTNEED);
	}
	return 0;
}

void kws_pages_forget(void)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

	dl_iterate_phdr(forget, &page);
}
