//===- main.cpp - cede-check: the rules over a whole build -------------------===//
//
// Exit status: 0 nothing found, 1 findings, 2 the program itself failed (the reason is on standard
// error).
//
//===----------------------------------------------------------------------===//
#include "children.h"
#include "fixes.h"
#include "options.h"
#include "output.h"

#include "../lint/rules.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include <chrono>
#include <map>
#include <set>
#include <tuple>
#include <unistd.h>

using namespace llvm;

namespace cede {

namespace {

/// What the run has gathered so far.
class Run {
public:
  explicit Run(const Options &O) : O(O), IsTerminal(isatty(STDERR_FILENO) != 0) {}

  bool readBaseline();
  bool selectUnits();
  void analyse();
  int finish();

private:
  void fail(const std::string &Text) {
    clearProgress();
    errs() << "cede-check: " << Text << "\n";
    Errors.push_back(Text);
  }
  void take(const Unit &U, const UnitResult &R);
  void showProgress(const Unit &U);
  void clearProgress();
  std::vector<CheckFinding> sortedFindings();
  std::vector<std::string> unfinishedNotes();

  const Options &O;
  bool IsTerminal;
  bool ProgressShown = false;
  CompileDb Db;
  std::vector<Unit> Units;
  size_t DoneCount = 0;
  std::vector<CheckFinding> All;
  std::map<std::string, std::set<std::string>> Unfinished; ///< functions by file
  std::set<std::string> Files;
  std::vector<std::string> Errors;
  StringSet<> Before;    ///< fingerprints of the baseline
  size_t KnownCount = 0; ///< findings that are in it
  Sources Text;
  std::chrono::steady_clock::time_point Begin = std::chrono::steady_clock::now();
};

/// Whether \p File is \p Wanted or lies in that folder.
bool isOrIsIn(const std::string &File, const std::string &Wanted) {
  if (File == Wanted)
    return true;
  std::string Prefix = Wanted.back() == '/' ? Wanted : Wanted + "/";
  return File.compare(0, Prefix.size(), Prefix) == 0;
}

std::string realPath(const std::string &Path) {
  SmallString<256> Real;
  return sys::fs::real_path(Path, Real) ? Path : std::string(Real);
}

} // namespace

bool Run::readBaseline() {
  std::string Error;
  if (O.Baseline.empty() || cede::readBaseline(O.Baseline, Before, Error))
    return true;
  fail(Error);
  return false;
}

bool Run::selectUnits() {
  std::string ResourceDir = O.Children.Analyse.ResourceDir;
  if (O.HaveCommand) {
    for (const std::string &File : O.Files)
      Units.push_back(unitFor(File, O.CompilerOptions, ResourceDir));
    return true;
  }
  Db = readCompileDb(O.Build, ResourceDir);
  if (!Db.Error.empty()) {
    fail(Db.Error);
    return false;
  }
  if (Db.Units.empty()) {
    fail("the compile commands of " + O.Build + " name no C file: nothing was checked");
    return false;
  }
  if (O.Files.empty()) {
    Units = Db.Units;
    return true;
  }
  for (const std::string &Name : O.Files) {
    std::string Wanted = absoluteIn(Name, ".");
    bool Found = false;
    for (const Unit &U : Db.Units) {
      if (!isOrIsIn(U.File, Wanted) && !isOrIsIn(realPath(U.File), realPath(Wanted)))
        continue;
      Found = true;
      bool Already = false;
      for (const Unit &Other : Units)
        Already |= Other.Command == U.Command && Other.Directory == U.Directory;
      if (!Already)
        Units.push_back(U);
    }
    if (!Found)
      fail(Name + " is not in the compile commands of " + O.Build);
  }
  return Errors.empty();
}

void Run::showProgress(const Unit &U) {
  if (O.Quiet)
    return;
  std::string Line = "[" + std::to_string(DoneCount) + "/" + std::to_string(Units.size()) + "] " +
                     shownPath(U.File);
  if (IsTerminal) {
    errs() << "\r\033[K" << Line.substr(0, 100);
    ProgressShown = true;
  } else {
    errs() << Line << "\n";
  }
  errs().flush();
}

void Run::clearProgress() {
  if (ProgressShown)
    errs() << "\r\033[K";
  ProgressShown = false;
}

void Run::take(const Unit &U, const UnitResult &R) {
  ++DoneCount;
  showProgress(U);
  if (!R.Error.empty())
    fail(shownPath(U.File) + ": " + R.Error);
  All.insert(All.end(), R.Findings.begin(), R.Findings.end());
  for (const std::string &Name : R.Unfinished)
    Unfinished[shownPath(U.File)].insert(Name);
  Files.insert(R.Files.begin(), R.Files.end());
}

void Run::analyse() {
  analyseAll(Units, O.Children, [this](const Unit &U, const UnitResult &R) { take(U, R); });
  clearProgress();
}

/// In the order of files and lines, each once, without those that a comment allows.
std::vector<CheckFinding> Run::sortedFindings() {
  for (const std::string &File : Files)
    for (CheckFinding &F : Text.checkAllows(File))
      All.push_back(F);
  auto Key = [](const CheckFinding &F) {
    return std::make_tuple(F.At.File, F.At.Line, F.At.Column, F.Rule, F.Fact);
  };
  std::sort(All.begin(), All.end(),
            [&Key](const CheckFinding &A, const CheckFinding &B) { return Key(A) < Key(B); });
  std::vector<CheckFinding> Out;
  std::set<std::tuple<std::string, unsigned, unsigned, std::string, std::string>> Seen;
  std::set<std::tuple<std::string, unsigned, std::string>> SeenPaths;
  for (const CheckFinding &F : All) {
    if (!Seen.insert(Key(F)).second)
      continue;
    // Several paths to one line say the same thing.
    if (F.IsPath && !SeenPaths.insert({F.At.File, F.At.Line, F.Rule}).second)
      continue;
    if (F.Rule == "allow-comment" || !Text.isAllowed(F))
      Out.push_back(F);
  }
  addFingerprints(Out, absoluteIn(".", "."), Text);
  auto IsKnown = [this](const CheckFinding &F) { return Before.count(F.Fingerprint) != 0; };
  auto New = std::remove_if(Out.begin(), Out.end(), IsKnown);
  KnownCount = size_t(Out.end() - New);
  Out.erase(New, Out.end());
  return Out;
}

std::vector<std::string> Run::unfinishedNotes() {
  std::vector<std::string> Out;
  for (const auto &File : Unfinished) {
    std::string Names;
    for (const std::string &Name : File.second)
      Names += (Names.empty() ? "" : ", ") + Name;
    Out.push_back(File.first + ": not all paths were looked at, they need more than " +
                  std::to_string(O.Children.Analyse.Budget) + " states (--budget): " + Names);
  }
  return Out;
}

int Run::finish() {
  std::vector<CheckFinding> Found = sortedFindings();
  std::set<std::string> InFiles;
  // `--sarif -` has standard output for itself.
  for (const CheckFinding &F : Found) {
    printText(F, Text, O.Sarif == "-" ? errs() : outs());
    InFiles.insert(F.At.File);
  }
  outs().flush();
  std::vector<std::string> Notes = unfinishedNotes();
  for (const std::string &Line : Notes)
    errs() << "cede-check: note: " << Line << "\n";
  if (!O.Sarif.empty()) {
    SarifRun Whole{absoluteIn(".", "."), Errors, Notes};
    std::string Error;
    if (!writeSarif(O.Sarif, Found, Whole, Text, Error))
      fail(Error);
  }
  if (O.Fix) {
    std::string Error;
    unsigned Count = applyFixes(Found, Error);
    if (!Error.empty())
      fail(Error);
    errs() << "cede-check: " << Count << (Count == 1 ? " fix" : " fixes") << " applied\n";
  }
  double Seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - Begin).count();
  if (!O.Quiet) {
    errs() << "cede-check: " << Found.size() << (Found.size() == 1 ? " finding" : " findings")
           << " in " << InFiles.size() << (InFiles.size() == 1 ? " file; " : " files; ")
           << Units.size() << (Units.size() == 1 ? " unit" : " units") << " looked at";
    if (KnownCount != 0)
      errs() << ", " << KnownCount << " of the baseline left out";
    if (Db.Skipped != 0)
      errs() << ", " << Db.Skipped << " not in C skipped";
    errs() << format(", %.1f s\n", Seconds);
  }
  if (!Errors.empty())
    return 2;
  bool Unproved = O.Children.Analyse.Strict && !Notes.empty();
  return Found.empty() && !Unproved ? 0 : 1;
}

} // namespace cede

int main(int argc, char **argv) {
  cede::Options O;
  int Status = 0;
  if (!cede::parseOptions(argc, argv, O, Status))
    return Status;
  cede::Run Whole(O);
  if (!Whole.readBaseline() || !Whole.selectUnits())
    return 2;
  Whole.analyse();
  return Whole.finish();
}
