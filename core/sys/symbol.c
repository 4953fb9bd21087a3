/* symbol.c - names the function that an address lies in, from the symbol table of the program or library that it is in.
 * The loader knows exported functions only, and handlers are mostly static; so the file itself is read. What it says is
 * checked against its size: the file on disk may be another one by now. */
#define _GNU_SOURCE
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/sys/interrupt.h"

/* The loaded file that holds `address`. */
struct module {
    uintptr_t address; /* looked for */
    uintptr_t base;
    char path[256]; /* empty: not found */
};

static int code_match(struct dl_phdr_info *info, size_t size, void *context) {
    (void)size;
    uintptr_t address = *(uintptr_t *)context;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type == PT_LOAD && (part->p_flags & PF_X) != 0 &&
            address - info->dlpi_addr - part->p_vaddr < part->p_memsz)
            return 1;
    }
    return 0;
}

bool cedei_symbol_is_code(uintptr_t address) { return dl_iterate_phdr(code_match, &address) != 0; }

/* A file in memory. */
struct image {
    const char *bytes;
    size_t size;
};

static int module_match(struct dl_phdr_info *info, size_t size, void *context) {
    (void)size;
    struct module *module = context;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type != PT_LOAD || module->address < info->dlpi_addr + part->p_vaddr ||
            module->address - info->dlpi_addr - part->p_vaddr >= part->p_memsz)
            continue;
        module->base = info->dlpi_addr;
        snprintf(module->path, sizeof module->path, "%s",
                 info->dlpi_name[0] != '\0' ? info->dlpi_name : "/proc/self/exe");
        return 1;
    }
    return 0;
}

static bool image_open(struct image *image, const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    struct stat status;
    void *bytes = MAP_FAILED;
    if (fstat(fd, &status) == 0 && status.st_size > (off_t)sizeof(ElfW(Ehdr)))
        bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (bytes == MAP_FAILED) return false;
    *image = (struct image){.bytes = bytes, .size = (size_t)status.st_size};
    return true;
}

static const void *image_part(const struct image *image, uint64_t offset, uint64_t size) {
    return offset <= image->size && size <= image->size - offset ? image->bytes + offset : NULL;
}

static const ElfW(Shdr) *
    section_of(const struct image *image, const ElfW(Ehdr) * head, uint32_t index) {
    if (index >= head->e_shnum || head->e_shentsize != sizeof(ElfW(Shdr))) return NULL;
    return image_part(image, head->e_shoff + index * sizeof(ElfW(Shdr)), sizeof(ElfW(Shdr)));
}

/* The name of the function that `offset` lies in, within `table`, a section of symbols. */
static const char *name_in(const struct image *image, const ElfW(Ehdr) * head,
                           const ElfW(Shdr) * table, uintptr_t offset, uintptr_t *start) {
    const ElfW(Sym) *symbols = image_part(image, table->sh_offset, table->sh_size);
    const ElfW(Shdr) *names = section_of(image, head, table->sh_link);
    if (symbols == NULL || names == NULL) return NULL;
    const char *text = image_part(image, names->sh_offset, names->sh_size);
    if (text == NULL) return NULL;
    for (size_t i = 0; i < table->sh_size / sizeof *symbols; i++) {
        const ElfW(Sym) *symbol = &symbols[i];
        if ((symbol->st_info & 0xf) != STT_FUNC || offset - symbol->st_value >= symbol->st_size)
            continue;
        if (symbol->st_name >= names->sh_size ||
            memchr(text + symbol->st_name, '\0', names->sh_size - symbol->st_name) == NULL)
            return NULL;
        *start = symbol->st_value;
        return text + symbol->st_name;
    }
    return NULL;
}

static const char *name_find(const struct image *image, uintptr_t offset, uintptr_t *start) {
    const ElfW(Ehdr) *head = image_part(image, 0, sizeof *head);
    if (head == NULL || memcmp(head->e_ident, ELFMAG, SELFMAG) != 0) return NULL;
    const char *found = NULL;
    for (uint32_t i = 0; i < head->e_shnum && found == NULL; i++) {
        const ElfW(Shdr) *section = section_of(image, head, i);
        if (section == NULL) return NULL;
        if (section->sh_type == SHT_SYMTAB || section->sh_type == SHT_DYNSYM)
            found = name_in(image, head, section, offset, start);
    }
    return found;
}

void cedei_symbol_describe(const void *address, bool is_return, char *out, size_t size) {
    struct module module = {.address = (uintptr_t)address - (is_return ? 1 : 0)};
    dl_iterate_phdr(module_match, &module);
    if (module.path[0] == '\0') {
        snprintf(out, size, "%p", address);
        return;
    }
    uintptr_t offset = module.address - module.base, start = 0;
    char target[256] = "";
    if (strcmp(module.path, "/proc/self/exe") == 0 &&
        readlink(module.path, target, sizeof target - 1) < 0)
        target[0] = '\0';
    const char *path = target[0] != '\0' ? target : module.path;
    const char *slash = strrchr(path, '/'), *file = slash != NULL ? slash + 1 : path;
    struct image image = {0};
    const char *name = image_open(&image, module.path) ? name_find(&image, offset, &start) : NULL;
    if (name != NULL)
        snprintf(out, size, "%.100s+0x%zx (%s)", name,
                 (size_t)((uintptr_t)address - module.base - start), file);
    else
        snprintf(out, size, "%s+0x%zx", file, (size_t)((uintptr_t)address - module.base));
    if (image.bytes != NULL) munmap((void *)(uintptr_t)image.bytes, image.size);
}
