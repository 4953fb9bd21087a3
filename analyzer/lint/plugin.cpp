//===- plugin.cpp - cede-lint inside the compiler ------------------------------===//
//
//     clang -fplugin=cede-lint-19.so -c app.c
//     clang -fplugin=cede-lint-19.so -Xclang -plugin-arg-cede-lint -Xclang rules=send-pointer -c
//     app.c
//
// Arguments: rules=A,B  models=FILE. Warnings carry the rule's name; -Werror makes them errors;
// fix-its are applied by -Xclang -fixit.
//
//===----------------------------------------------------------------------===//
#include "allow.h"
#include "rules.h"

#include "clang/Frontend/CompilerInstance.h"
#include "clang/Frontend/FrontendPluginRegistry.h"
#include "llvm/ADT/StringSet.h"

using namespace clang;

namespace {

class LintConsumer : public ASTConsumer {
public:
  LintConsumer(CompilerInstance &CI, const llvm::StringSet<> &Rules) : CI(CI), Rules(Rules) {}

  void HandleTranslationUnit(ASTContext &Context) override {
    if (CI.getDiagnostics().hasErrorOccurred())
      return;
    cede::Colours Facts(Context);
    cede::LintContext Lint{Context, CI.getPreprocessor(), Facts,
                           [this](const cede::Finding &F) { report(F); }};
    for (unsigned I = 0; I < cede::RuleCount; ++I)
      if (cede::Rules[I].Lint != nullptr && (Rules.empty() || Rules.count(cede::Rules[I].Name)))
        cede::Rules[I].Lint(Lint);
  }

private:
  void report(const cede::Finding &F) {
    DiagnosticsEngine &Diags = CI.getDiagnostics();
    unsigned Warning = Diags.getCustomDiagID(DiagnosticsEngine::Warning, "%0 [%1]");
    unsigned Note = Diags.getCustomDiagID(DiagnosticsEngine::Note, "%0");
    const SourceManager &SM = CI.getSourceManager();
    if (cede::isAllowed(SM, F.Loc, F.Rule))
      return;
    {
      DiagnosticBuilder D = Diags.Report(SM.getFileLoc(F.Loc), Warning);
      D << F.Fact << F.Rule;
      for (const cede::Insertion &I : F.Fixes)
        D << FixItHint::CreateInsertion(I.Loc, I.Text);
    }
    for (const cede::Note &N : F.Notes)
      if (N.Loc.isValid())
        Diags.Report(SM.getFileLoc(N.Loc), Note) << N.Text;
    Diags.Report(SM.getFileLoc(F.Loc), Note) << "repair: " + F.Repair;
  }

  CompilerInstance &CI;
  llvm::StringSet<> Rules;
};

class LintAction : public PluginASTAction {
public:
  std::unique_ptr<ASTConsumer> CreateASTConsumer(CompilerInstance &CI, llvm::StringRef) override {
    return std::make_unique<LintConsumer>(CI, Rules);
  }

  bool ParseArgs(const CompilerInstance &CI, const std::vector<std::string> &Words) override {
    DiagnosticsEngine &Diags = CI.getDiagnostics();
    unsigned Wrong = Diags.getCustomDiagID(DiagnosticsEngine::Error, "cede-lint: %0");
    for (const std::string &Word : Words) {
      auto Pair = llvm::StringRef(Word).split('=');
      std::string Error;
      if (Pair.first == "models" && !cede::Models::get().load(Pair.second, Error)) {
        Diags.Report(Wrong) << Error;
        return false;
      }
      for (llvm::StringRef Rest = Pair.first == "rules" ? Pair.second : ""; !Rest.empty();) {
        llvm::StringRef Name;
        std::tie(Name, Rest) = Rest.split(',');
        if (cede::findRule(Name) == nullptr) {
          Diags.Report(Wrong) << "there is no rule '" + Name.str() + "'";
          return false;
        }
        Rules.insert(Name);
      }
      if (Pair.first != "models" && Pair.first != "rules") {
        Diags.Report(Wrong) << "unknown argument '" + Word + "'; known: rules=A,B models=FILE";
        return false;
      }
    }
    return true;
  }

  ActionType getActionType() override { return AddAfterMainAction; }

private:
  llvm::StringSet<> Rules;
};

} // namespace

static FrontendPluginRegistry::Add<LintAction> Registration("cede-lint", "the rules of Cede");
