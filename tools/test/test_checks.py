#!/usr/bin/env python3
"""test_checks.py - shows for each check of tools/ that it finds its defect, names the line, and is silent on the near miss.

Every test writes a small tree, runs the check on it, and compares what it prints. Run by `tools/check --self-test`.
"""
import os
import subprocess
import sys
import tempfile
import unittest

TOOLS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def run_check(name, files, *extra):
    """(exit status, output) of tools/check_<name>.py over a tree of these files."""
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            os.makedirs(os.path.dirname(os.path.join(root, path)) or root, exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8", newline="") as stream:
                stream.write(text)
        command = [sys.executable, os.path.join(TOOLS, f"check_{name}.py"), "--root", root]
        done = subprocess.run(command + list(extra), capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr


class Case(unittest.TestCase):
    def found(self, name, files, *texts):
        status, output = run_check(name, files)
        self.assertEqual(status, 1, output)
        for text in texts:
            self.assertIn(text, output)

    def silent(self, name, files):
        status, output = run_check(name, files)
        self.assertEqual((status, output), (0, ""))


class Includes(Case):
    def test_lower_layer_includes_higher(self):
        self.found("includes", {"core/base/a.h": '\n#include "core/sched/b.h"\n', "core/sched/b.h": ""},
                   "core/base/a.h:2:", "core/base may not include core/sched")

    def test_higher_layer_includes_lower(self):
        self.silent("includes", {"core/sched/a.h": '#include "core/base/b.h"\n', "core/base/b.h": ""})

    def test_base_includes_actor_header(self):
        self.found("includes", {"core/base/a.c": "#include <cede/actor.h>\n"}, "may not include <cede/actor.h>")

    def test_example_includes_internal_header(self):
        self.found("includes", {"examples/x/a.c": '#include "core/base/b.h"\n', "core/base/b.h": ""},
                   "examples may not include core/base")

    def test_example_includes_its_own_header(self):
        self.silent("includes", {"examples/x/a.c": '#include "b.h"\n#include <cede/cede.h>\n', "examples/x/b.h": ""})

    def test_standard_actor_includes_internal_header(self):
        self.found("includes", {"actors/std/a.c": '#include "core/base/b.h"\n', "core/base/b.h": ""}, "actors/std may not")

    def test_concurrency_kit_outside_sync(self):
        self.found("includes", {"core/mem/a.c": "#include <ck_epoch.h>\n"}, "core/sync only")

    def test_concurrency_kit_in_sync(self):
        self.silent("includes", {"core/sync/a.c": "#include <ck_epoch.h>\n"})

    def test_nng_outside_node(self):
        self.found("includes", {"core/sys/a.c": "#include <nng/nng.h>\n"}, "actors/node only")

    def test_not_named_from_the_root(self):
        self.found("includes", {"core/sys/a.c": '#include "b.h"\n', "core/sys/b.h": ""}, "not a header named from the root")

    def test_cycle_in_one_layer(self):
        self.found("includes", {"core/sys/a.h": '#include "core/sys/b.h"\n', "core/sys/b.h": '#include "core/sys/a.h"\n'},
                   "includes itself: core/sys/a.h -> core/sys/b.h -> core/sys/a.h")

    def test_include_in_a_comment(self):
        self.silent("includes", {"core/base/a.h": '/*\n#include "core/sched/b.h"\n*/\n'})


class Headers(Case):
    def test_leans_on_its_includer(self):
        self.found("headers", {"include/cede/a.h": "static inline uint32_t f(void) { return 0; }\n"},
                   "does not compile alone with gcc -std=c11", "g++ -std=c++17")

    def test_is_no_cpp(self):
        self.found("headers", {"include/cede/a.h": "#pragma once\nextern int class;\n"}, "alone with g++")

    def test_compiles_alone(self):
        self.silent("headers", {"include/cede/a.h": "#ifndef A_H\n#define A_H\n#include <stdint.h>\nextern uint32_t a;\n#endif\n"})

    def test_internal_header_leans_on_its_includer(self):
        self.found("headers", {"core/sys/a.h": "size_t cedei_size(void);\n"}, "core/sys/a.h")


HEADER = "#ifndef A_H\n#define A_H\nint cede_one(void);\nvoid cedei_two(void);\nstatic inline int cede_three(void) { return 3; }\n#endif\n"
MAP = "CEDE_0 {\nglobal:\n    cede_*;\n    cedei_two;\nlocal:\n    *;\n};\n"
ONE = "int cede_one(void);\nint cede_one(void) { return 1; }\n"
TWO = "void cedei_two(void);\nvoid cedei_two(void) {}\n"


class Exports(Case):
    def library(self, source):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        path = os.path.join(self.folder.name, "libx.so")
        subprocess.run(["gcc", "-shared", "-fPIC", "-x", "c", "-", "-o", path], input=source, text=True, check=True)
        return path

    def check(self, source, map_text=MAP):
        return run_check("exports", {"include/cede/a.h": HEADER, "core/cede.map": map_text},
                         "--library", self.library(source))

    def test_agree(self):
        self.assertEqual(self.check(ONE + TWO), (0, ""))

    def test_internal_name_exported(self):
        status, output = self.check(ONE + TWO + "int cedei_secret; ")
        self.assertEqual(status, 1)
        self.assertIn("exports cedei_secret", output)

    def test_declared_name_missing(self):
        status, output = self.check(TWO)
        self.assertEqual(status, 1)
        self.assertIn("declares cede_one, which libx.so does not export", output)

    def test_map_lacks_a_name(self):
        status, output = self.check(ONE + TWO, MAP.replace("    cedei_two;\n", ""))
        self.assertEqual(status, 1)
        self.assertIn("lacks cedei_two", output)

    def test_map_lists_too_much(self):
        status, output = self.check(ONE + TWO, MAP.replace("cedei_two;", "cedei_two;\n    cedei_old;"))
        self.assertEqual(status, 1)
        self.assertIn("lists cedei_old", output)


class Atomics(Case):
    def atomics(self, text):
        return {"core/sync/a.c": text}

    def test_without_comment(self):
        self.found("atomics", self.atomics("void f(void) {\n    atomic_store_explicit(&x, 1, memory_order_release);\n}\n"),
                   "core/sync/a.c:2:", "has no comment")

    def test_without_partner(self):
        self.found("atomics", self.atomics("/* release: done. */\natomic_store_explicit(&x, 1, memory_order_release);\n"),
                   "names no partner")

    def test_other_order(self):
        self.found("atomics", self.atomics("/* acquire: pairs with f. */\natomic_store_explicit(&x, 1, memory_order_release);\n"),
                   "is release, which the comment above does not name")

    def test_empty_line_between(self):
        self.found("atomics", self.atomics("/* release: pairs with f. */\n\natomic_store_explicit(&x, 1, memory_order_release);\n"),
                   "has no comment")

    def test_relaxed_without_reason(self):
        self.found("atomics", self.atomics("/* relaxed. */\natomic_store_explicit(&x, 1, memory_order_relaxed);\n"), "no reason")

    def test_good_comment(self):
        self.silent("atomics", self.atomics(
            "/* release: pairs with the acquire in f. */\natomic_store_explicit(&x, 1, memory_order_release);\n"))

    def test_group_under_one_comment(self):
        self.silent("atomics", self.atomics(
            "/* relaxed: counts that nobody decides on. */\natomic_store_explicit(&x, 1, memory_order_relaxed);\n"
            "atomic_store_explicit(&y, 1,\n                      memory_order_relaxed);\n"))

    def test_implicit_call(self):
        self.found("atomics", self.atomics("/* seq_cst: as it is the default. */\natomic_load(&x);\n"), "use the _explicit call")

    def test_plain_use_of_an_atomic_field(self):
        self.found("atomics", self.atomics("struct a {\n    _Atomic uint32_t hits;\n};\nvoid f(struct a *a) {\n    a->hits++;\n}\n"),
                   "core/sync/a.c:5:", "plain use of the _Atomic field 'hits'")

    def test_plain_read_in_a_condition(self):
        self.found("atomics", self.atomics(
            "struct a {\n    _Atomic(void *) head;\n};\nint f(struct a *a) {\n    return b && a->head;\n}\n"), "'head'")

    def test_address_of_an_atomic_field(self):
        self.silent("atomics", self.atomics(
            "struct a {\n    _Atomic uint32_t hits;\n};\nvoid f(struct a *a) {\n    /* relaxed: a count, nobody decides on it. */\n"
            "    atomic_fetch_add_explicit(&a->b[i].hits, 1, memory_order_relaxed);\n}\n"))


class Seams(Case):
    def test_clock_outside_sys(self):
        self.found("seams", {"core/sched/a.c": "void f(void) {\n    clock_gettime(0, &t);\n}\n"}, "core/sched/a.c:2:", "clock")

    def test_malloc_outside_sys(self):
        self.found("seams", {"actors/actor/a.c": "p = malloc(3);\n"}, "memory belong to core/sys")

    def test_inside_sys_and_near_misses(self):
        self.silent("seams", {"core/sys/a.c": "p = malloc(3);\n",
                              "core/mem/a.c": 'cedei_free(p); x->free(p); puts("malloc(1)"); /* malloc(1) */\n'})


class Names(Case):
    def test_type_ends_in_t(self):
        self.found("names", {"core/sys/a.h": "struct thing_t {\n    int a;\n};\ntypedef int number_t;\n"}, "thing_t", "number_t")

    def test_vague_file(self):
        self.found("names", {"core/sys/string_utils.c": ""}, "core/sys/string_utils.c: the name says nothing")

    def test_vague_function(self):
        self.found("names", {"core/sys/a.c": "static void buffer_helper(int x) {\n}\n"}, "buffer_helper")

    def test_unprefixed_function(self):
        self.found("names", {"core/sys/a.c": "void clock_read(void) {\n}\n"}, "clock_read is not static")

    def test_static_function_with_prefix(self):
        self.found("names", {"core/sys/a.c": "static void cedei_clock_read(void) {\n}\n"}, "named as if others")

    def test_good_names(self):
        self.silent("names", {"core/sys/a.c": "void cedei_clock_read(void) {\n}\nstatic uint64_t clock_raw(void) {\n    return 1;\n}\n"})


class Sizes(Case):
    def test_long_function_is_noted(self):
        text = "void f(void)\n{\n" + "    g();\n" * 80 + "}\n"
        status, output = run_check("sizes", {"core/sys/a.c": text})
        self.assertEqual(status, 0)
        self.assertIn("a function of 82 lines", output)

    def test_long_file_is_noted(self):
        self.assertIn("has 1001 lines", run_check("sizes", {"core/sys/a.c": "int a;\n" * 1001})[1])

    def test_short_file(self):
        self.silent("sizes", {"core/sys/a.c": "void f(void) {\n    g();\n}\n"})


class Text(Case):
    def test_machine_path(self):
        self.found("text", {"docs/a.md": "see /" + "home/somebody/notes\n"}, "docs/a.md:1:", "a path of one machine")

    def test_path_outside(self):
        self.found("text", {"docs/a.md": "\nsee .." + "/shared/x\n"}, "docs/a.md:2:", "outside the repository")

    def test_package_host(self):
        self.found("text", {"tools/a.sh": "# deb." + "debian.org\n"}, "a package host")

    def test_conflict_marker(self):
        self.found("text", {"core/a.c": "<" * 7 + " HEAD\n"}, "a conflict marker")

    def test_no_newline_at_the_end(self):
        self.found("text", {"core/a.c": "int a;"}, "no newline at the end")

    def test_tab(self):
        self.found("text", {"core/a.c": "\tint a;\n"}, "a tab")

    def test_near_misses(self):
        self.silent("text", {"docs/a.md": "actors/share/ and frame" + "work/ and /tmp/x\n"})


GOOD = "/// Does one.\n/// Ownership: borrowed. Threads: any. Yields: no. Blocks: no. Errors: CEDE_EINVAL.\n"


class Contracts(Case):
    def contracts(self, text):
        return {"include/cede/a.h": text}

    def test_no_comment(self):
        self.found("contracts", self.contracts("CEDE_NOYIELD int cede_one(void);\n"), "cede_one has no /// comment")

    def test_lines_missing(self):
        self.found("contracts", self.contracts("/// Does one. Threads: any.\nCEDE_NOYIELD int cede_one(void);\n"),
                   "lacks Yields:, Blocks:")

    def test_ownership_missing_for_a_pointer(self):
        self.found("contracts", self.contracts(
            "/// Does one. Threads: any. Yields: no. Blocks: no.\nCEDE_NOYIELD int cede_one(char *a);\n"), "lacks Ownership:")

    def test_colour_and_annotation_disagree(self):
        self.found("contracts", self.contracts(GOOD + "CEDE_YIELDS CEDE_NODISCARD cede_result cede_one(char *a);\n"),
                   "do not agree")

    def test_macro_without_lines(self):
        self.found("contracts", self.contracts("/// Does one.\n#define cede_one(x) cedei_one(x)\n"), "lacks Ownership:")

    def test_good(self):
        self.silent("contracts", self.contracts(
            GOOD + "CEDE_NOYIELD CEDE_NODISCARD cede_result cede_one(char *a CEDE_BORROWED,\n    int b);\n"))


class Listed(Case):
    def test_source_not_listed(self):
        self.found("listed", {"core/sys/a.c": "", "core/sys/meson.build": "files(\n  'ba.c',\n)\n"}, "core/sys/a.c: is not listed")

    def test_test_not_listed(self):
        self.found("listed", {"tests/unit/core/a_test.c": "", "tests/unit/meson.build": "[]\n"}, "is not listed")

    def test_all_listed(self):
        self.silent("listed", {"core/sys/a.c": "", "core/sys/meson.build": "files('a.c')\n",
                               "tests/unit/core/a_test.c": "", "tests/unit/meson.build": "['core/a']\n"})


if __name__ == "__main__":
    unittest.main()
