#!/usr/bin/env python3
"""run_driver_tests.py - cede-check as a program: exit status, compile commands of all sorts, SARIF, comments, fixes."""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

BAD = """#include <cede/cede.h>
#define ORDER(F) F(u64, id)
CEDE_MESSAGE(order, ORDER);
cede_result forward(cede_self *self, cede_ref to, struct order *order);
cede_result forward(cede_self *self, cede_ref to, struct order *order) {
    cede_result r = cede_send(self, to, &order);
    return order->id == 0 ? CEDE_OK : r;
}
"""
GOOD = BAD.replace("return order->id == 0 ? CEDE_OK : r;", "return r;")
HEADER = "struct CEDE_SEND shared_struct {\n    char *text;\n};\n"
YIELDS = """#include <cede/cede.h>
static void wait_a_bit(cede_self *self) { cede_yield(self); }
CEDE_YIELDS void run(cede_self *self);
void run(cede_self *self) { wait_a_bit(self); }
"""
OPTIONS = None


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = os.path.realpath(self.folder.name)
        self.addCleanup(self.folder.cleanup)

    def write(self, name, text):
        path = os.path.join(self.root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as sink:
            sink.write(text)
        return path

    def database(self, entries, name="build/compile_commands.json"):
        return self.write(name, json.dumps(entries))

    def entry(self, name, *options, **more):
        words = ["cc", "-I" + OPTIONS.include, "-std=gnu11", *options, "-c", name, "-o", name + ".o"]
        return {"directory": self.root, "file": name, "arguments": words, **more}

    def run_check(self, *words, cwd=None, env=None):
        return subprocess.run([OPTIONS.cede_check, *words], capture_output=True, text=True, check=False,
                              cwd=cwd or self.root, env={**os.environ, **(env or {})}, timeout=120)

    def warnings(self, done):
        return re.findall(r"^(.+?):(\d+):(\d+): warning: (.*) \[([a-z-]+)\]$", done.stdout, re.M)


class ExitStatus(Case):
    def test_nothing_found_is_0(self):
        self.write("good.c", GOOD)
        self.database([self.entry("good.c")])
        done = self.run_check("-p", "build")
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)

    def test_findings_are_1(self):
        self.write("bad.c", BAD)
        self.database([self.entry("bad.c")])
        done = self.run_check("-p", "build")
        self.assertEqual(done.returncode, 1, done.stderr)
        found = self.warnings(done)
        self.assertEqual([(f[0], f[1], f[4]) for f in found], [("bad.c", "7", "use-after-send")])
        self.assertIn("cede_send on line 6", found[0][3])
        self.assertIn("note: repair: ", done.stdout)

    def test_no_compile_commands_is_2(self):
        done = self.run_check("-p", "nowhere")
        self.assertEqual(done.returncode, 2)
        self.assertIn("nowhere", done.stderr)

    def test_invalid_compile_commands_are_2(self):
        for text in ("[{", "{}", "[3]", '[{"directory": "/"}]', '[{"directory": "/", "file": "a.c"}]'):
            self.write("build/compile_commands.json", text)
            done = self.run_check("-p", "build")
            self.assertEqual(done.returncode, 2, text)
            self.assertIn("compile_commands.json", done.stderr)

    def test_commands_without_a_c_file_are_2(self):
        for entries in ([], [{**self.entry("a.cc"), "file": "a.cc"}]):
            self.database(entries)
            done = self.run_check("-p", "build")
            self.assertEqual(done.returncode, 2)
            self.assertIn("nothing was checked", done.stderr)

    def test_a_reason_is_all_that_is_said(self):
        self.write("broken.c", "int x = y;\nint z = w;\n")
        done = self.run_check("--quiet", "broken.c", "--")
        self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (2, "", 1), done.stderr)

    def test_a_file_that_does_not_compile_is_2_and_named(self):
        self.write("bad.c", BAD)
        self.write("broken.c", "int main(void) { return undeclared_thing; }\n")
        self.database([self.entry("bad.c"), self.entry("broken.c")])
        done = self.run_check("-p", "build")
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, r"broken\.c.*undeclared_thing")
        self.assertEqual(len(self.warnings(done)), 1, "the other file is looked at all the same")

    def test_a_missing_file_is_2_and_named(self):
        self.database([self.entry("gone.c")])
        done = self.run_check("-p", "build")
        self.assertEqual(done.returncode, 2)
        self.assertIn("gone.c", done.stderr)

    def test_a_file_that_is_in_no_command_is_2(self):
        self.write("good.c", GOOD)
        self.database([self.entry("good.c")])
        done = self.run_check("-p", "build", "other.c")
        self.assertEqual(done.returncode, 2)
        self.assertIn("other.c", done.stderr)

    def test_wrong_use_is_2(self):
        for words in (["--no-such-option"], ["--rules", "no-such-rule"], ["-j", "none"], ["--sarif"],
                      ["--models", "/nowhere"], ["--explain", "no-such-rule"], ["--"]):
            done = self.run_check(*words)
            self.assertEqual(done.returncode, 2, words)
            self.assertTrue(done.stderr.startswith("cede-check: "), done.stderr)

    def test_missing_compiler_headers_are_2(self):
        self.write("good.c", GOOD)
        done = self.run_check("good.c", "--", "-I" + OPTIONS.include, env={"CEDE_RESOURCE_DIR": "/nowhere"})
        self.assertEqual(done.returncode, 2)
        self.assertIn("headers", done.stderr)

    def test_a_file_that_takes_too_long_is_2(self):
        deep = "int f(int x);\nint f(int x) { return " + "(" * 200 + "x" + ")" * 200 + "; }\n"
        macros = "#define A0 x +\n" + "".join(f"#define A{i} A{i-1} A{i-1} A{i-1} A{i-1}\n" for i in range(1, 14))
        self.write("slow.c", "int x;\nint g(void);\n" + macros + "int g(void) { return A13 1; }\n" + deep)
        done = self.run_check("--timeout", "1", "slow.c", "--")
        self.assertEqual(done.returncode, 2)
        self.assertIn("slow.c", done.stderr)


class Information(Case):
    def test_help_version_and_rules(self):
        for words, text in ((["--help"], "compile_commands.json"), (["--version"], "cede-check"),
                            (["--list-rules"], "use-after-send"),
                            (["--explain", "use-after-send"], "cede_send")):
            done = self.run_check(*words)
            self.assertEqual((done.returncode, done.stderr), (0, ""), words)
            self.assertIn(text, done.stdout)

    def test_functions_behind_macros_go_by_the_names_of_those(self):
        self.write("app.c", BAD.replace("    cede_result r = cede_send(self, to, &order);", "    const struct order *frozen = NULL;\n    (void)to;\n"
                                        "    cede_result r = cede_freeze(self, &order, &frozen);"))
        self.database([self.entry("app.c")])
        done = self.run_check("-p", "build", "--rules", "use-after-send")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("by cede_freeze", done.stdout)
        self.assertNotIn("cedei_", done.stdout)

    def test_every_rule_has_a_page(self):
        for line in self.run_check("--list-rules").stdout.splitlines():
            page = self.run_check("--explain", line.split()[0]).stdout
            for heading in ("## Why", "## Bad", "## Good", "## How to silence", "## What it cannot see"):
                self.assertIn(heading, page, line)

    def test_progress_names_each_file_and_the_count(self):
        for name in ("a.c", "b.c", "c.c"):
            self.write(name, GOOD)
        self.database([self.entry(name) for name in ("a.c", "b.c", "c.c")])
        done = self.run_check("-pbuild", "-j2")
        self.assertIn("[3/3]", done.stderr)
        self.assertIn("0 findings", done.stderr)
        self.assertEqual(self.run_check("-p", "build", "--quiet").stderr, "")

    def test_says_what_the_budget_did_not_finish(self):
        branches = "".join(f"    if (order->id == {i}u) r++;\n" for i in range(40))
        self.write("large.c", GOOD.replace("    return r;", branches + "    return (cede_result)r;")
                   .replace("cede_result r = cede_send(self, to, &order);",
                            "unsigned r = 0;\n" + branches +
                            "    r += (unsigned)cede_send(self, to, &order);\n    if (order == NULL) return CEDE_OK;"))
        done = self.run_check("--budget", "300", "large.c", "--", "-I" + OPTIONS.include)
        self.assertRegex(done.stderr, r"large\.c: not all paths .*\(--budget\): forward\n")
        self.assertEqual(done.returncode, 0, done.stdout)


class Commands(Case):
    def expect_one_finding(self, *words, cwd=None):
        done = self.run_check(*(words or ("-p", "build")), cwd=cwd)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(len(self.warnings(done)), 1, done.stdout)
        return done

    def test_options_that_only_gcc_knows_are_taken_out(self):
        self.write("bad.c", BAD)
        self.database([self.entry(
            "bad.c", "-fconserve-stack", "-fno-ipa-cp-clone", "-mpreferred-stack-boundary=4",
            "-fno-var-tracking-assignments", "-Wduplicated-cond", "-Werror", "-Wno-maybe-uninitialized",
            "-fno-allow-store-data-races", "--param=ssp-buffer-size=4", "-O2", "-g3", "-pipe", "-fplugin=x.so",
            "-MD", "-MF", "bad.d", "-MQ", "bad.o", "-pthread", "-march=native", "-flto=auto",
            "-fdiagnostics-color=always", "-Wp,-MMD,x.d", "-fno-semantic-interposition", "-fanalyzer")])
        self.expect_one_finding()

    def test_a_command_line_with_quotes_and_spaces(self):
        self.write("with space/bad file.c", BAD.replace("order->id == 0", "order->id == ZERO"))
        command = f"gcc -I'{OPTIONS.include}' \"-DZERO=(1 - 1)\" -DX=\\\"a\\ b\\\" -c 'with space/bad file.c' -o x.o"
        self.database([{"directory": self.root, "file": "with space/bad file.c", "command": command}])
        self.expect_one_finding()

    def test_launchers_are_skipped(self):
        self.write("bad.c", BAD)
        for launcher in (["ccache"], ["/usr/lib/ccache/ccache"], ["env", "A=b", "ccache"], ["distcc"]):
            entry = self.entry("bad.c")
            entry["arguments"] = launcher + entry["arguments"]
            self.database([entry])
            self.expect_one_finding()

    def test_a_relative_directory_is_relative_to_the_database(self):
        self.write("src/bad.c", BAD)
        self.database([self.entry("../src/bad.c", directory=".")])
        self.expect_one_finding()
        self.expect_one_finding("-p", self.root + "/build", cwd="/")

    def test_relative_include_folders_and_response_files(self):
        self.write("inc/zero.h", "#define ZERO 0\n")
        self.write("bad.c", '#include "zero.h"\n' + BAD.replace("order->id == 0", "order->id == ZERO"))
        self.write("flags.rsp", "-Iinc\n-DUNUSED='a b'\n")
        self.database([self.entry("bad.c", "@flags.rsp")])
        self.expect_one_finding()

    def test_a_relative_directory_may_be_relative_to_where_the_program_was_started(self):
        self.write("sub/app.c", BAD)
        self.database([self.entry("app.c", directory="sub")])
        self.expect_one_finding("-p", "build")

    def test_precompiled_headers_of_another_compiler_are_not_read(self):
        self.write("app.c", BAD.replace("#include <cede/cede.h>\n", ""))
        self.write("pre.h", "#include <cede/cede.h>\n")
        for name in ("pre.h.gch", "pre.h.pch"):
            self.write(name, "CPCHnonsense")
        for words in (["-include", "pre.h"], ["-include-pch", "pre.h.pch"], ["-Winvalid-pch", "-include", "./pre.h"],
                      ["-Xclang", "-include-pch", "-Xclang", "pre.h.pch", "-Xclang", "-include", "-Xclang", "pre.h"]):
            with self.subTest(words):
                self.database([self.entry("app.c", *words)])
                self.expect_one_finding("-p", "build")

    def test_the_database_may_be_named_itself(self):
        self.write("bad.c", BAD)
        path = self.database([self.entry("bad.c")], name="other.json")
        self.expect_one_finding("-p", path)

    def test_other_languages_are_skipped_and_counted(self):
        self.write("bad.c", BAD)
        self.write("thing.cpp", "class thing {};\n")
        self.write("start.S", ".text\n")
        self.database([self.entry("bad.c"), self.entry("thing.cpp"), self.entry("start.S")])
        self.assertIn("2 not in C skipped", self.expect_one_finding().stderr)

    def test_one_file_compiled_twice_is_one_finding(self):
        self.write("bad.c", BAD)
        again = self.entry("bad.c", "-DSHARED")
        self.database([self.entry("bad.c"), self.entry("bad.c", "-MD", "-MF", "x.d"), again])
        self.assertIn("2 units", self.expect_one_finding().stderr)

    def test_a_finding_in_a_header_is_one_finding(self):
        self.write("shared.h", "#include <cede/cede.h>\n" + HEADER)
        for name in ("a.c", "b.c"):
            self.write(name, '#include "shared.h"\nint ' + name[0] + ";\n")
        self.database([self.entry("a.c"), self.entry("b.c")])
        self.assertEqual(self.warnings(self.expect_one_finding())[0][0], "shared.h")

    def test_files_and_folders_choose(self):
        for name in ("one/bad.c", "two/bad.c", "two/bad2.c"):
            self.write(name, BAD)
        self.database([self.entry(name) for name in ("one/bad.c", "two/bad.c", "two/bad2.c")])
        self.expect_one_finding("-p", "build", "one")
        self.expect_one_finding("-p", "build", self.root + "/two/bad2.c")
        self.assertEqual(len(self.warnings(self.run_check("-p", "build", "two"))), 2)

    def test_options_behind_two_dashes(self):
        self.write("bad.c", BAD.replace("order->id == 0", "order->id == ZERO"))
        self.expect_one_finding("bad.c", "--", "-I" + OPTIONS.include, "-DZERO=0")

    def test_rules_choose(self):
        self.write("bad.c", BAD + "struct CEDE_SEND s { char *p; };\n")
        done = self.expect_one_finding("--rules", "send-pointer", "bad.c", "--", "-I" + OPTIONS.include)
        self.assertEqual(self.warnings(done)[0][4], "send-pointer")

    def test_models_tell_of_other_libraries(self):
        self.write("m.txt", "# a library\nfunction pool_give takes:2\nfunction pool_try takes_on_zero:2\n")
        self.write("user.c", """#include <cede/cede.h>
struct pool; struct item { int x; };
void pool_give(struct pool *pool, struct item *item);
int pool_try(struct pool *pool, struct item *item);
int use(struct pool *pool, struct item *item);
int use(struct pool *pool, struct item *item) {
    if (pool_try(pool, item) != 0) {
        item->x = 1;
        pool_give(pool, item);
        return item->x;
    }
    return 0;
}
""")
        words = ("user.c", "--", "-I" + OPTIONS.include)
        self.assertEqual(self.run_check(*words).returncode, 0)
        done = self.expect_one_finding("--models", "m.txt", *words)
        self.assertEqual(self.warnings(done)[0][1], "10")

    def test_a_wrong_model_is_2_with_its_line(self):
        for wrong in ("tickles:1", "blocks_unless_bits:1", "blocks_unless_bits:1,x", "takes:0"):
            self.write("m.txt", f"function f takes:1\nfunction g {wrong}\n")
            done = self.run_check("--models", "m.txt", "x.c", "--")
            self.assertEqual(done.returncode, 2, wrong)
            self.assertIn("m.txt:2", done.stderr)


class Baseline(Case):
    def test_what_was_there_before_does_not_count(self):
        path = self.write("app.c", BAD)
        self.database([self.entry("app.c")])
        self.assertEqual(self.run_check("-p", "build", "--sarif", "before.sarif").returncode, 1)
        self.write("app.c", "/* moved down */\n\n" + BAD)
        done = self.run_check("-p", "build", "--baseline", "before.sarif")
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)
        self.assertIn("1 of the baseline left out", done.stderr)
        with open(path, "a", encoding="utf-8") as file:
            file.write(HEADER)
        done = self.run_check("-p", "build", "--baseline=before.sarif", "--sarif", "now.sarif")
        self.assertEqual(done.returncode, 1)
        self.assertEqual([found[4] for found in self.warnings(done)], ["send-pointer"])
        with open(os.path.join(self.root, "now.sarif"), encoding="utf-8") as log:
            self.assertEqual([r["ruleId"] for r in json.load(log)["runs"][0]["results"]], ["send-pointer"])

    def test_a_second_one_of_the_same_text_is_new(self):
        body = BAD[BAD.index("    cede_result r"):BAD.rindex("}")]
        again = body.replace("cede_result r = ", "r = ").replace("    return order->id", "    if (r == CEDE_OK)\n        return order->id")
        once = BAD.replace("    return order->id", "    if (r == CEDE_OK)\n        return order->id")
        once = once.replace(": r;\n}", ": r;\n    return r;\n}")
        self.write("app.c", once)
        self.database([self.entry("app.c")])
        self.assertEqual(self.run_check("-p", "build", "--sarif", "before.sarif").returncode, 1)
        twice = once.replace("    return r;\n}", "    order = cede_new(self, order);\n" + again + "    return r;\n}")
        self.write("app.c", twice)
        done = self.run_check("-p", "build", "--rules", "use-after-send", "--baseline", "before.sarif")
        self.assertEqual((done.returncode, len(self.warnings(done))), (1, 1), done.stdout + done.stderr)

    def test_what_is_no_log_is_2(self):
        self.write("app.c", GOOD)
        self.database([self.entry("app.c")])
        self.write("broken.sarif", "{")
        self.write("other.sarif", "{}")
        for name, said in (("none.sarif", "cannot read the baseline"), ("broken.sarif", "is not a SARIF log"),
                           ("other.sarif", "is not a SARIF log")):
            done = self.run_check("-p", "build", "--baseline", name)
            self.assertEqual(done.returncode, 2)
            self.assertIn(said, done.stderr)


class Strict(Case):
    def expect(self, text, rule):
        """Silent without --strict, one finding with it."""
        self.write("app.c", text)
        self.database([self.entry("app.c")])
        done = self.run_check("-p", "build")
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)
        done = self.run_check("-p", "build", "--strict")
        self.assertEqual((done.returncode, [found[4] for found in self.warnings(done)]), (1, [rule]), done.stderr)

    def test_functions_of_other_files_take_nothing(self):
        self.expect(BAD[:BAD.index("cede_result forward")] + "void log_order(struct order *order);\n"
                    "void make(cede_self *self);\nvoid make(cede_self *self) {\n"
                    "    struct order *order = cede_new(self, order);\n    if (order != NULL) log_order(order);\n}\n", "message-leak")

    def test_descriptors_block(self):
        self.expect("#include <cede/cede.h>\n#include <fcntl.h>\n#include <unistd.h>\n"
                    "int set(int fd);\nint set(int fd) { return fcntl(fd, F_SETFL, O_NONBLOCK); }\n"
                    "CEDE_YIELDS cede_result step(cede_self *self, int fd);\n"
                    "cede_result step(cede_self *self, int fd) {\n    char byte;\n"
                    "    return read(fd, &byte, 1) == 1 ? cede_sleep(self, 1) : CEDE_EIO;\n}\n", "blocking-call")

    def test_timeouts_that_are_no_constants_wait(self):
        self.expect("#include <cede/cede.h>\n#include <poll.h>\n"
                    "CEDE_YIELDS cede_result step(cede_self *self, struct pollfd *one, int wait_ms);\n"
                    "cede_result step(cede_self *self, struct pollfd *one, int wait_ms) {\n"
                    "    return poll(one, 1, wait_ms) > 0 ? cede_sleep(self, 1) : CEDE_EIO;\n}\n", "blocking-call")

    def test_an_unfinished_function_is_not_proved(self):
        text = GOOD.replace("    return r;", "".join(f"    if (order != NULL && order->id == {i}) order->id++;\n" for i in range(20)) + "    return r;")
        self.write("app.c", text)
        self.database([self.entry("app.c")])
        options = ("-p", "build", "--rules", "message-leak", "--budget", "200")
        self.assertEqual(self.run_check(*options).returncode, 0)
        self.assertEqual(self.run_check(*options, "--strict").returncode, 1)


class Comments(Case):
    def check(self, text):
        self.write("bad.c", text)
        return self.run_check("--quiet", "bad.c", "--", "-I" + OPTIONS.include)

    def test_a_comment_with_a_reason_allows(self):
        line = "    return order->id"
        above = BAD.replace(line, "    // cede: allow(use-after-send) the test wants it\n" + line)
        two = BAD.replace(line, "    // cede: allow(use-after-send) the test\n    // wants it\n" + line)
        behind = BAD.replace("CEDE_OK : r;", "CEDE_OK : r; // cede: allow(use-after-send) the test wants it")
        block = BAD.replace("CEDE_OK : r;", "CEDE_OK : r; /* cede: allow(send-pointer, use-after-send) wanted */")
        for text in (above, two, behind, block):
            done = self.check(text)
            self.assertEqual((done.returncode, done.stdout), (0, ""), text)

    def test_a_comment_without_a_reason_is_a_finding(self):
        done = self.check(BAD.replace("CEDE_OK : r;", "CEDE_OK : r; // cede: allow(use-after-send)"))
        self.assertEqual(sorted(f[4] for f in self.warnings(done)), ["allow-comment", "use-after-send"])

    def test_a_comment_for_another_rule_allows_nothing(self):
        done = self.check(BAD.replace("CEDE_OK : r;", "CEDE_OK : r; // cede: allow(send-pointer) why"))
        self.assertEqual([f[4] for f in self.warnings(done)], ["use-after-send"])

    def test_a_rule_that_does_not_exist_is_a_finding(self):
        done = self.check(GOOD + "int x; // cede: allow(no-such-rule) why\n")
        self.assertEqual([f[4] for f in self.warnings(done)], ["allow-comment"])

    def test_a_comment_further_up_allows_nothing(self):
        done = self.check("// cede: allow(use-after-send) not for all that follows\n" + BAD)
        self.assertEqual(done.returncode, 1)


class Sarif(Case):
    def log(self, *files, **contents):
        for name, text in contents.items():
            self.write(name + ".c", text)
        done = self.run_check("--sarif", "out.sarif", *files, "--", "-I" + OPTIONS.include)
        with open(os.path.join(self.root, "out.sarif"), encoding="utf-8") as source:
            return done, json.load(source)

    def check_location(self, location):
        physical = location["physicalLocation"]
        uri = physical["artifactLocation"]["uri"]
        if "uriBaseId" in physical["artifactLocation"]:
            self.assertEqual(physical["artifactLocation"]["uriBaseId"], "ROOT")
            self.assertFalse(uri.startswith("/") or ":" in uri, uri)
        else:
            self.assertTrue(uri.startswith("file:///"), uri)
        region = physical["region"]
        self.assertGreaterEqual(region["startLine"], 1)
        self.assertGreaterEqual(region["startColumn"], 1)
        self.assertGreater(region.get("endColumn", 10 ** 6), region["startColumn"])

    def test_the_log_is_whole(self):
        _, log = self.log("bad.c", "fix.c", bad=BAD, fix=YIELDS)
        self.assertEqual(log["version"], "2.1.0")
        self.assertIn("sarif-2.1.0", log["$schema"])
        self.assertEqual(len(log["runs"]), 1)
        run = log["runs"][0]
        driver = run["tool"]["driver"]
        self.assertEqual(driver["name"], "cede-check")
        ids = [rule["id"] for rule in driver["rules"]]
        self.assertEqual(len(ids), len(set(ids)))
        for rule in driver["rules"]:
            self.assertTrue(rule["shortDescription"]["text"] and rule["help"]["text"] and rule["help"]["markdown"])
        self.assertTrue(run["originalUriBaseIds"]["ROOT"]["uri"].endswith("/"))
        self.assertTrue(run["invocations"][0]["executionSuccessful"])
        self.assertEqual(len(run["results"]), 2)
        for result in run["results"]:
            self.assertEqual(ids[result["ruleIndex"]], result["ruleId"])
            self.assertEqual(result["level"], "warning")
            self.assertTrue(result["message"]["text"])
            self.assertRegex(result["partialFingerprints"]["cede/v1"], r"^[0-9a-f]{32}$")
            for location in result["locations"] + result.get("relatedLocations", []):
                self.check_location(location)

    def test_a_path_is_a_code_flow(self):
        _, log = self.log("bad.c", bad=BAD)
        result = log["runs"][0]["results"][0]
        steps = result["codeFlows"][0]["threadFlows"][0]["locations"]
        lines = [step["location"]["physicalLocation"]["region"]["startLine"] for step in steps]
        self.assertEqual((lines[0], lines[-1]), (6, 7))
        for step in steps:
            self.check_location(step["location"])
            self.assertTrue(step["location"]["message"]["text"])

    def test_a_fix_inserts(self):
        _, log = self.log("fix.c", fix=YIELDS)
        change = log["runs"][0]["results"][0]["fixes"][0]["artifactChanges"][0]
        replacement = change["replacements"][0]
        region = replacement["deletedRegion"]
        self.assertEqual((region["startLine"], region["startColumn"], region["endColumn"]), (2, 1, 1))
        self.assertEqual(replacement["insertedContent"]["text"], "CEDE_YIELDS ")

    def test_fingerprints_outlive_lines_moved(self):
        def prints(text):
            _, log = self.log("bad.c", bad=text)
            return [r["partialFingerprints"]["cede/v1"] for r in log["runs"][0]["results"]]
        self.assertEqual(prints(BAD), prints("\n\nint more;\n" + BAD))
        twice = BAD + BAD.split("CEDE_MESSAGE(order, ORDER);\n")[1].replace("forward", "forward2")
        self.assertEqual(len(set(prints(twice))), 2)

    def test_failures_are_in_the_log(self):
        done, log = self.log("broken.c", broken="int x = y;\n")
        self.assertEqual(done.returncode, 2)
        run = log["runs"][0]
        self.assertFalse(run["invocations"][0]["executionSuccessful"])
        self.assertIn("broken.c", run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"])

    def test_nothing_found_is_an_empty_list(self):
        _, log = self.log("good.c", good=GOOD)
        self.assertEqual(log["runs"][0]["results"], [])

    def test_odd_names_are_encoded(self):
        self.write("a b#ü.c", BAD)
        self.run_check("--sarif", "out.sarif", "a b#ü.c", "--", "-I" + OPTIONS.include)
        with open(os.path.join(self.root, "out.sarif"), encoding="utf-8") as source:
            result = json.load(source)["runs"][0]["results"][0]
        uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        self.assertEqual(uri, "a%20b%23%C3%BC.c")

    def test_columns_are_utf16_code_units(self):
        before = "/* größe \U0001D11E */ "
        _, log = self.log("bad.c", bad=BAD.replace("return order", "return " + before + "order"))
        region = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]
        column = len(("    return " + before).encode("utf-16-le")) // 2 + 1
        self.assertEqual((region["startColumn"], region["endColumn"]), (column, column + len("order")))

    def test_the_mark_stands_below_its_column(self):
        self.write("bad.c", BAD.replace("return order", "return /* größe */ order"))
        lines = self.run_check("--quiet", "bad.c", "--", "-I" + OPTIONS.include).stdout.splitlines()
        self.assertEqual(lines[2].index("^"), lines[1].index("order->id"))

    def test_a_log_on_standard_output_is_alone_there(self):
        self.write("bad.c", BAD)
        done = self.run_check("--quiet", "--sarif", "-", "bad.c", "--", "-I" + OPTIONS.include)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(len(json.loads(done.stdout)["runs"][0]["results"]), 1)

    def test_a_log_that_cannot_be_written_is_2(self):
        self.write("good.c", GOOD)
        done = self.run_check("--sarif", "no/such/folder/x", "good.c", "--", "-I" + OPTIONS.include)
        self.assertEqual(done.returncode, 2)


class Broken(Case):
    def test_each_broken_example_shows_its_mistake_and_no_other(self):
        with open(os.path.join(OPTIONS.broken, "README.md"), encoding="utf-8") as source:
            table = dict(re.findall(r"^\| `(\S+\.c)` \|.*\| `([a-z-]+)` \|$", source.read(), re.M))
        there = sorted(name for name in os.listdir(OPTIONS.broken) if name.endswith(".c"))
        self.assertEqual(sorted(table), there)
        done = self.run_check(*there, "--", "-I" + OPTIONS.include, cwd=OPTIONS.broken)
        self.assertEqual(sorted((f[0], f[4]) for f in self.warnings(done)), sorted(table.items()), done.stdout)

    def test_the_compiler_says_nothing_about_them(self):
        for name in sorted(os.listdir(OPTIONS.broken)):
            if not name.endswith(".c"):
                continue
            done = subprocess.run([OPTIONS.clang, "-std=gnu11", "-Wall", "-Wextra", "-fsyntax-only",
                                   "-I" + OPTIONS.include, os.path.join(OPTIONS.broken, name)],
                                  capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""), name)


class Fixes(Case):
    def test_a_fix_goes_to_the_declaration_in_the_header(self):
        self.write("wait.h", "#include <cede/cede.h>\nvoid wait_a_bit(cede_self *self);\n")
        for name in ("a.c", "b.c"):
            body = "void wait_a_bit(cede_self *self) { cede_yield(self); }\n" if name == "a.c" else ""
            self.write(name, '#include "wait.h"\n' + body)
        self.database([self.entry("a.c"), self.entry("b.c")])
        self.run_check("-p", "build", "--fix")
        with open(os.path.join(self.root, "wait.h"), encoding="utf-8") as source:
            self.assertIn("\nCEDE_YIELDS void wait_a_bit", source.read())
        self.assertEqual(self.run_check("-p", "build").returncode, 0)


def main():
    global OPTIONS
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cede-check", required=True)
    parser.add_argument("--include", required=True)
    parser.add_argument("--broken", required=True, help="the folder examples/broken")
    parser.add_argument("--clang", default="clang-19")
    OPTIONS, rest = parser.parse_known_args()
    OPTIONS.cede_check = os.path.abspath(OPTIONS.cede_check)
    OPTIONS.include = os.path.abspath(OPTIONS.include)
    OPTIONS.broken = os.path.abspath(OPTIONS.broken)
    unittest.main(argv=[sys.argv[0], *rest])


if __name__ == "__main__":
    main()
