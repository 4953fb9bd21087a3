//===- options.cpp - the command line of cede-check ---------------------------===//
#include "options.h"

#include "../lint/rules.h"
#include "output.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/raw_ostream.h"
#include <unistd.h>

using namespace llvm;

namespace cede {

static const char Help[] =
    "cede-check: finds what may not be done in actor code written with Cede\n"
    "\n"
    "  cede-check -p BUILD [FILE or FOLDER...]   files of BUILD/compile_commands.json (all, or "
    "these)\n"
    "  cede-check FILE... -- COMPILER OPTIONS    files compiled with these options\n"
    "\n"
    "  -p BUILD          the folder with compile_commands.json, or the file itself (default: .)\n"
    "  --rules A,B       only these rules            --list-rules    what there is\n"
    "  --explain RULE    the page of a rule          --sarif FILE    write SARIF 2.1.0 as well (- "
    ": only)\n"
    "  --models FILE     what functions of other libraries promise; may be given more than once\n"
    "  --baseline FILE   findings that are in this SARIF log of before do not count\n"
    "  --strict          report what cannot be proved: see analyzer/README.md\n"
    "  --fix             apply the repairs that can be made by inserting text\n"
    "  -j N              that many files at a time (default: one a processor)\n"
    "  --budget N        states a function may take on its paths (default: 40000)\n"
    "  --timeout SECONDS that one file may take (default: 600)\n"
    "  --quiet           no progress                 --version, --help\n"
    "\n"
    "`// cede: allow(rule) reason` on the line of a finding or above it silences it.\n"
    "Exit status: 0 nothing found, 1 findings, 2 own failure, with the reason on standard error.\n";

static void listRules() {
  for (unsigned I = 0; I < RuleCount; ++I)
    outs() << left_justify(Rules[I].Name, 18) << Rules[I].Summary << "\n";
  outs() << left_justify("allow-comment", 18)
         << "a comment that allows a finding gives no reason, or names no rule\n";
}

static bool selectRules(StringRef List, StringSet<> &Out, std::string &Error) {
  while (!List.empty()) {
    StringRef Name;
    std::tie(Name, List) = List.split(',');
    if (findRule(Name.trim()) == nullptr) {
      Error = "there is no rule '" + Name.str() + "'; see --list-rules";
      return false;
    }
    Out.insert(Name.trim());
  }
  if (Out.empty())
    Error = "--rules needs the name of a rule";
  return !Out.empty();
}

namespace {
class Parser {
public:
  Parser(int Count, char **Words, Options &Out) : Count(Count), Words(Words), Out(Out) {}

  /// False to end the program with Status.
  bool run(int &Status);

private:
  bool option(StringRef Word, int &Status);
  bool valued(StringRef Word);
  /// The value of the option `Name`: the next word, or what is joined to it (-j4, --sarif=FILE).
  bool value(StringRef Word, StringRef Name, std::string &Value);
  bool number(StringRef Name, const std::string &Text, unsigned &Number);
  bool complain(const std::string &Text) {
    if (Error.empty())
      Error = Text;
    return false;
  }

  int Count;
  char **Words;
  Options &Out;
  int At = 1;
  std::string Error;
};
} // namespace

bool Parser::value(StringRef Word, StringRef Name, std::string &Value) {
  if (Word == Name) {
    if (At + 1 >= Count) {
      complain(Name.str() + " needs a value");
      return true;
    }
    Value = Words[++At];
    return true;
  }
  bool IsLong = Name.take_front(2) == "--";
  bool Joined = Word.size() > Name.size() && Word.take_front(Name.size()) == Name &&
                (!IsLong || Word[Name.size()] == '=');
  if (Joined)
    Value = Word.drop_front(Name.size() + (IsLong ? 1 : 0)).str();
  return Joined;
}

bool Parser::number(StringRef Name, const std::string &Text, unsigned &Number) {
  if (!Error.empty())
    return false;
  if (StringRef(Text).getAsInteger(10, Number) || Number == 0)
    return complain(Name.str() + " needs a number from 1, not '" + Text + "'");
  return true;
}

bool Parser::valued(StringRef Word) {
  std::string Value;
  if (value(Word, "-p", Out.Build) || value(Word, "--sarif", Out.Sarif) ||
      value(Word, "--baseline", Out.Baseline))
    return true;
  if (value(Word, "-j", Value)) {
    number("-j", Value, Out.Children.Jobs);
  } else if (value(Word, "--budget", Value)) {
    number("--budget", Value, Out.Children.Analyse.Budget);
  } else if (value(Word, "--timeout", Value)) {
    number("--timeout", Value, Out.Children.Seconds);
  } else if (value(Word, "--models", Value)) {
    std::string Why;
    if (Error.empty() && !Models::get().load(Value, Why))
      complain(Why);
  } else if (value(Word, "--rules", Value)) {
    std::string Why;
    if (Error.empty() && !selectRules(Value, Out.Children.Analyse.Rules, Why))
      complain(Why);
  } else {
    return false;
  }
  return true;
}

bool Parser::option(StringRef Word, int &Status) {
  std::string Rule;
  if (Word == "--help" || Word == "-h") {
    outs() << Help;
  } else if (Word == "--version") {
    outs() << "cede-check " << Version << "\n";
  } else if (Word == "--list-rules") {
    listRules();
  } else if (value(Word, "--explain", Rule)) {
    if (Error.empty() && rulePage(Rule).empty())
      complain("there is no rule '" + Rule + "'; see --list-rules");
    if (!Error.empty())
      return true;
    outs() << rulePage(Rule);
  } else if (Word == "--quiet" || Word == "-q") {
    Out.Quiet = true;
    return true;
  } else if (Word == "--strict") {
    Out.Children.Analyse.Strict = true;
    return true;
  } else if (Word == "--fix") {
    Out.Fix = true;
    return true;
  } else {
    if (!valued(Word))
      complain("unknown option '" + Word.str() + "'");
    return true;
  }
  Status = 0;
  return false;
}

bool Parser::run(int &Status) {
  for (; At < Count && Error.empty(); ++At) {
    StringRef Word = Words[At];
    if (Word == "--") {
      Out.HaveCommand = true;
      Out.CompilerOptions.assign(Words + At + 1, Words + Count);
      break;
    }
    if (Word.take_front(1) != "-")
      Out.Files.push_back(Word.str());
    else if (!option(Word, Status))
      return false;
  }
  if (Error.empty() && Out.HaveCommand && Out.Files.empty())
    Error = "no file before '--'";
  if (Error.empty() && Out.Children.Analyse.ResourceDir.empty())
    Error =
        "clang's own headers are not where they were at build time (" CEDE_RESOURCE_DIR
        "); install the package libclang-common-" CEDE_CLANG_MAJOR "-dev or set CEDE_RESOURCE_DIR";
  if (Error.empty())
    return true;
  errs() << "cede-check: " << Error << "\n";
  Status = 2;
  return false;
}

bool parseOptions(int Count, char **Words, Options &Out, int &Status) {
  long Processors = sysconf(_SC_NPROCESSORS_ONLN);
  Out.Children.Jobs = Processors > 0 ? unsigned(Processors) : 1;
  Out.Children.Analyse.ResourceDir = findResourceDir();
  if (!Parser(Count, Words, Out).run(Status))
    return false;
  if (Out.Children.Analyse.Rules.empty())
    for (unsigned I = 0; I < RuleCount; ++I)
      Out.Children.Analyse.Rules.insert(Rules[I].Name);
  return true;
}

} // namespace cede
