//===- analyse.cpp - one translation unit through all rules ----------------===//
//
// The lint rules run first; they also tell which functions the path-sensitive rules need to see.
// Only those are handed to clang's analyzer, so that code without actors costs no more than parsing
// it.
//
//===----------------------------------------------------------------------===//
#include "analyse.h"

#include "../checkers/path_report.h"
#include "../lint/rules.h"

#include "clang/Basic/Version.h"
#include "clang/Frontend/CompilerInstance.h"
#include "clang/Frontend/FrontendAction.h"
#include "clang/Frontend/MultiplexConsumer.h"
#include "clang/Lex/Lexer.h"
#include "clang/StaticAnalyzer/Core/PathSensitive/ExprEngine.h"
#include "clang/StaticAnalyzer/Frontend/AnalysisConsumer.h"
#include "clang/StaticAnalyzer/Frontend/CheckerRegistry.h"
#include "clang/Tooling/Tooling.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace clang;

namespace cede {

namespace {

std::string absolutePath(const SourceManager &SM, FileID File) {
  auto Entry = SM.getFileEntryRefForID(File);
  llvm::SmallString<256> Path(Entry ? Entry->getName() : "");
  llvm::sys::fs::make_absolute(Path);
  llvm::sys::path::remove_dots(Path, /*remove_dot_dot=*/true);
  return std::string(Path);
}

Place toPlace(const SourceManager &SM, const LangOptions &Lang, SourceLocation Loc) {
  Place P;
  Loc = SM.getFileLoc(Loc);
  std::pair<FileID, unsigned> At = SM.getDecomposedLoc(Loc);
  P.File = absolutePath(SM, At.first);
  P.Line = SM.getLineNumber(At.first, At.second);
  P.Column = SM.getColumnNumber(At.first, At.second);
  P.EndColumn = P.Column + Lexer::MeasureTokenLength(Loc, SM, Lang);
  return P;
}

//===-- lint findings -----------------------------------------------------===//

CheckFinding fromLint(const Finding &F, const SourceManager &SM, const LangOptions &Lang) {
  CheckFinding Out;
  Out.Rule = F.Rule;
  Out.At = toPlace(SM, Lang, F.Loc);
  Out.Fact = F.Fact;
  Out.Repair = F.Repair;
  Out.Function = F.In != nullptr ? F.In->getNameAsString() : "";
  for (const Note &N : F.Notes)
    if (N.Loc.isValid())
      Out.Path.push_back({toPlace(SM, Lang, N.Loc), N.Text});
  for (const Insertion &I : F.Fixes) {
    Edit E;
    E.At = toPlace(SM, Lang, I.Loc);
    E.Offset = SM.getFileOffset(SM.getFileLoc(I.Loc));
    E.Text = I.Text;
    Out.Fixes.push_back(E);
  }
  return Out;
}

//===-- path-sensitive findings -------------------------------------------===//

class PathCollector : public ento::PathDiagnosticConsumer {
public:
  PathCollector(UnitResult &Out, const SourceManager &SM, const LangOptions &Lang,
                const AnalyseOptions &Options)
      : Out(Out), SM(SM), Lang(Lang), Options(Options) {}

  void FlushDiagnosticsImpl(std::vector<const ento::PathDiagnostic *> &Diags,
                            FilesMade *) override {
    for (const ento::PathDiagnostic *D : Diags)
      add(*D);
  }
  llvm::StringRef getName() const override { return "cede-check"; }
  PathGenerationScheme getGenerationScheme() const override { return Minimal; }
  bool supportsLogicalOpControlFlow() const override { return true; }
  bool supportsCrossFileDiagnostics() const override { return true; }

private:
  void add(const ento::PathDiagnostic &D) {
    llvm::StringRef Checker = D.getCheckerName();
    if (!Checker.consume_front("cede.") || findRule(Checker) == nullptr ||
        Options.Rules.count(Checker) == 0)
      return; // clang's own checkers only model the code here
    CheckFinding F;
    F.Rule = Checker.str();
    F.At = toPlace(SM, Lang, D.getLocation().asLocation());
    F.Fact = D.getShortDescription().str();
    F.Repair = findRule(Checker)->Repair;
    F.IsPath = true;
    if (const auto *Named = dyn_cast_or_null<NamedDecl>(D.getDeclWithIssue()))
      F.Function = Named->getNameAsString();
    addSteps(D.path, F);
    // The last step is the finding itself.
    if (!F.Path.empty() && F.Path.back().Text == F.Fact)
      F.Path.pop_back();
    Out.Findings.push_back(F);
  }

  void addSteps(const ento::PathPieces &Pieces, CheckFinding &F) {
    for (const auto &Piece : Pieces) {
      if (const auto *Call = dyn_cast<ento::PathDiagnosticCallPiece>(Piece.get())) {
        addPiece(Call->getCallEnterEvent().get(), F);
        addSteps(Call->path, F);
        addPiece(Call->getCallExitEvent().get(), F);
      } else if (const auto *Macro = dyn_cast<ento::PathDiagnosticMacroPiece>(Piece.get())) {
        addSteps(Macro->subPieces, F);
      } else {
        addPiece(Piece.get(), F);
      }
    }
  }

  void addPiece(const ento::PathDiagnosticPiece *Piece, CheckFinding &F) {
    if (Piece == nullptr || Piece->getString().empty() ||
        !isa<ento::PathDiagnosticEventPiece>(Piece))
      return;
    Step S{toPlace(SM, Lang, Piece->getLocation().asLocation()), Piece->getString().str()};
    F.Path.push_back(S);
  }

  UnitResult &Out;
  const SourceManager &SM;
  const LangOptions &Lang;
  const AnalyseOptions &Options;
};

/// Notes the functions whose states ran out.
class BudgetWatch : public ento::Checker<ento::check::EndAnalysis> {
public:
  static std::vector<std::string> *Unfinished;
  void checkEndAnalysis(ento::ExplodedGraph &Graph, ento::BugReporter &,
                        ento::ExprEngine &Engine) const {
    if (Unfinished == nullptr || Engine.hasEmptyWorkList())
      return;
    const ento::ExplodedNode *Root = *Graph.roots_begin();
    if (const auto *F = dyn_cast<FunctionDecl>(Root->getLocationContext()->getDecl()))
      Unfinished->push_back(F->getNameAsString());
  }
};
std::vector<std::string> *BudgetWatch::Unfinished = nullptr;

//===-- the front end -----------------------------------------------------===//

/// Runs the rules when the file has been read, and only then feeds clang's analyzer.
class RuleConsumer : public ASTConsumer {
public:
  RuleConsumer(CompilerInstance &CI, UnitResult &Out, const AnalyseOptions &Options)
      : CI(CI), Out(Out), Options(Options) {}

  bool HandleTopLevelDecl(DeclGroupRef Group) override {
    Groups.push_back(Group);
    return true;
  }

  void HandleTranslationUnit(ASTContext &Context) override {
    if (CI.getDiagnostics().hasErrorOccurred())
      return;
    const Colours &Facts = coloursOf(Context);
    LintContext Lint{Context, CI.getPreprocessor(), Facts, [&](const Finding &F) {
                       Out.Findings.push_back(
                           fromLint(F, Context.getSourceManager(), Context.getLangOpts()));
                     }};
    Lint.Strict = isStrict() = Options.Strict;
    for (unsigned I = 0; I < RuleCount; ++I)
      if (Rules[I].Lint != nullptr && Options.Rules.count(Rules[I].Name) != 0)
        Rules[I].Lint(Lint);
    if (Options.Rules.count("use-after-send") || Options.Rules.count("guard-over-yield") ||
        Options.Rules.count("message-leak"))
      analysePaths(Context, Facts);
    collectFiles(Context.getSourceManager());
  }

private:
  void analysePaths(ASTContext &Context, const Colours &Facts) {
    for (DeclGroupRef Group : Groups)
      if (Group.isSingleDecl())
        if (const auto *F = dyn_cast<FunctionDecl>(Group.getSingleDecl()))
          if (F->doesThisDeclarationHaveABody() && Facts.worthAnalysing(F) && !isDispatch(F))
            analyseFunction(Context, Group);
  }

  /// Each function has an analysis of its own: clang's analyzer remembers a callee with a long
  /// loop, and does not look into it any more for the callers that come after.
  void analyseFunction(ASTContext &Context, DeclGroupRef Group) {
    std::unique_ptr<ento::AnalysisASTConsumer> Analysis = ento::CreateAnalysisConsumer(CI);
    Analysis->AddDiagnosticConsumer(
        new PathCollector(Out, Context.getSourceManager(), Context.getLangOpts(), Options));
    Analysis->AddCheckerRegistrationFn([](ento::CheckerRegistry &Registry) {
      registerUseAfterSend(Registry);
      registerGuardOverYield(Registry);
      registerMessageLeak(Registry);
      Registry.addChecker<BudgetWatch>("cede.budget", "Notes functions that were not finished", "");
    });
    BudgetWatch::Unfinished = &Out.Unfinished;
    Analysis->Initialize(Context);
    Analysis->HandleTopLevelDecl(Group);
    Analysis->HandleTranslationUnit(Context);
    Analysis.reset(); // hands out the diagnostics
    BudgetWatch::Unfinished = nullptr;
  }

  /// The dispatch function of a behaviour only calls the handlers, which are analysed themselves.
  static bool isDispatch(const FunctionDecl *F) {
    return hasPrefix(F->getNameAsString(), "cedei_dispatch_");
  }

  void collectFiles(const SourceManager &SM) {
    for (auto It = SM.fileinfo_begin(); It != SM.fileinfo_end(); ++It) {
      FileID File = SM.translateFile(It->first);
      if (File.isInvalid())
        continue;
      SourceLocation Start = SM.getLocForStartOfFile(File);
      if (Start.isValid() && !SM.isInSystemHeader(Start))
        Out.Files.push_back(absolutePath(SM, File));
    }
  }

  CompilerInstance &CI;
  UnitResult &Out;
  const AnalyseOptions &Options;
  std::vector<DeclGroupRef> Groups;
};

class RuleAction : public ASTFrontendAction {
public:
  RuleAction(UnitResult &Out, const AnalyseOptions &Options) : Out(Out), Options(Options) {}

  std::unique_ptr<ASTConsumer> CreateASTConsumer(CompilerInstance &CI, llvm::StringRef) override {
#if CLANG_VERSION_MAJOR >= 17
    AnalyzerOptions &Analyzer = CI.getAnalyzerOpts();
#else
    AnalyzerOptions &Analyzer = *CI.getAnalyzerOpts();
#endif
    Analyzer.CheckersAndPackages = {{"core", true}, {"cede", true}};
    Analyzer.AnalysisDiagOpt = PD_NONE;
    Analyzer.InliningMode =
        All; // a function that was inlined somewhere is analysed by itself as well
    Analyzer.MaxNodesPerTopLevelFunction = Options.Budget;
    Analyzer.ShouldUnrollLoops = true; // loops of constant length, whole
    Analyzer.maxBlockVisitOnPath = 5;  // three rounds of other loops, and what is behind them
    Analyzer.ShouldIncludeLoopExitInCFG = true;
    Analyzer.ShouldWidenLoops = true; // what comes behind a long loop is looked at too
    Analyzer.MaxInlinableSize = 200;
    Analyzer.ShouldIncludeImplicitDtorsInCFG = false; // see withoutCleanups
    return std::make_unique<RuleConsumer>(CI, Out, Options);
  }

private:
  UnitResult &Out;
  const AnalyseOptions &Options;
};

/// Keeps the first error of the compiler.
class FirstError : public DiagnosticConsumer {
public:
  explicit FirstError(UnitResult &Out) : Out(Out) {}
  void HandleDiagnostic(DiagnosticsEngine::Level Level, const Diagnostic &Info) override {
    DiagnosticConsumer::HandleDiagnostic(Level, Info);
    if (Level < DiagnosticsEngine::Error || !Out.Error.empty())
      return;
    llvm::SmallString<128> Text;
    Info.FormatDiagnostic(Text);
    if (Info.getLocation().isValid() && Info.hasSourceManager()) {
      PresumedLoc P = Info.getSourceManager().getPresumedLoc(Info.getLocation());
      if (P.isValid())
        Out.Error = std::string(P.getFilename()) + ":" + std::to_string(P.getLine()) + ":" +
                    std::to_string(P.getColumn()) + ": ";
    }
    Out.Error += std::string(Text);
  }

private:
  UnitResult &Out;
};

} // namespace

UnitResult analyseUnit(const std::vector<std::string> &Command, const AnalyseOptions &Options) {
  UnitResult Out;
  FileSystemOptions FileOptions;
  llvm::IntrusiveRefCntPtr<FileManager> Files(new FileManager(FileOptions));
  FirstError Errors(Out);
  tooling::ToolInvocation Invocation(Command, std::make_unique<RuleAction>(Out, Options),
                                     Files.get());
  Invocation.setDiagnosticConsumer(&Errors);
  if (!Invocation.run() && Out.Error.empty())
    Out.Error = "the compiler's front end could not run this command";
  return Out;
}

std::string findResourceDir() {
  if (const char *Given = getenv("CEDE_RESOURCE_DIR"))
    return llvm::sys::fs::exists(std::string(Given) + "/include/stddef.h") ? Given : "";
  if (llvm::sys::fs::exists(CEDE_RESOURCE_DIR "/include/stddef.h"))
    return CEDE_RESOURCE_DIR;
  return "";
}

} // namespace cede
