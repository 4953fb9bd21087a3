//===- path_report.cpp - what the path-sensitive rules share ---------------===//
#include "path_report.h"

#include "../lint/allow.h"

#include "clang/AST/Attr.h"
#include "clang/AST/ParentMapContext.h"
#include "clang/Lex/Lexer.h"
#include "clang/StaticAnalyzer/Core/PathSensitive/SymbolManager.h"
#include "clang/StaticAnalyzer/Frontend/CheckerRegistry.h"
#include "llvm/Support/Path.h"
#include <map>

using namespace clang;
using namespace ento;

namespace cede {

Blame meetingPoint(const Stmt *Use, const StackFrameContext *UseFrame,
                   const StackFrameContext *OtherFrame) {
  Blame B{Use, UseFrame, false};
  while (B.Frame != OtherFrame && !B.Frame->isParentOf(OtherFrame)) {
    const Stmt *CallSite = B.Frame->getCallSite();
    const LocationContext *Caller = B.Frame->getParent();
    if (CallSite == nullptr || Caller == nullptr)
      break;
    B = {CallSite, Caller->getStackFrame(), true};
  }
  return B;
}

PathDiagnosticLocation placeOf(const Blame &B, CheckerContext &C) {
  const SourceManager &SM = C.getSourceManager();
  SourceLocation Loc = SM.getExpansionLoc(B.Statement->getBeginLoc());
  return PathDiagnosticLocation(Loc, SM);
}

unsigned lineOf(const Stmt *S, CheckerContext &C) {
  return C.getSourceManager().getExpansionLineNumber(S->getBeginLoc());
}

std::string placeText(const Stmt *S, CheckerContext &C) {
  const SourceManager &SM = C.getSourceManager();
  SourceLocation Loc = SM.getExpansionLoc(S->getBeginLoc());
  std::string Line = std::to_string(SM.getExpansionLineNumber(Loc));
  if (SM.isInMainFile(Loc))
    return "line " + Line;
  return llvm::sys::path::filename(SM.getFilename(Loc)).str() + ":" + Line;
}

std::string sourceText(const Expr *E, CheckerContext &C) {
  const SourceManager &SM = C.getSourceManager();
  SourceLocation Begin = E->getBeginLoc(), End = E->getEndLoc();
  if (SM.isMacroArgExpansion(Begin) && SM.isMacroArgExpansion(End)) {
    Begin = SM.getFileLoc(Begin);
    End = SM.getFileLoc(End);
  }
  if (Begin.isMacroID() || End.isMacroID())
    return "";
  auto Range = CharSourceRange::getTokenRange(Begin, End);
  StringRef Text = Lexer::getSourceText(Range, SM, C.getLangOpts());
  return Text.size() > 40 || Text.contains('\n') ? "" : Text.str();
}

/// The name of the pointer whose target a symbolic region is.
static std::string pointerName(const SymbolicRegion *Target, unsigned Depth) {
  const MemRegion *Origin = Target->getSymbol()->getOriginRegion();
  return Origin != nullptr ? regionName(Origin, Depth + 1) : "";
}

/// "a" and "->" or "." for the parent of a field; "a" for that of an element.
static std::string parentName(const SubRegion *Region, bool ForField, unsigned Depth) {
  const MemRegion *Parent = Region->getSuperRegion()->StripCasts();
  const auto *Target = dyn_cast<SymbolicRegion>(Parent);
  std::string Name = Target != nullptr ? pointerName(Target, Depth) : regionName(Parent, Depth + 1);
  if (Name.empty() || !ForField)
    return Name;
  return Name + (Target != nullptr ? "->" : ".");
}

std::string regionName(const MemRegion *Region, unsigned Depth) {
  if (Region == nullptr || Depth > 8)
    return "";
  Region = Region->StripCasts();
  if (const auto *Var = dyn_cast<VarRegion>(Region))
    return Var->getDecl()->getNameAsString();
  if (const auto *Target = dyn_cast<SymbolicRegion>(Region)) {
    std::string Name = pointerName(Target, Depth);
    return Name.empty() ? "" : "*" + Name;
  }
  if (const auto *Field = dyn_cast<FieldRegion>(Region)) {
    std::string Parent = parentName(Field, true, Depth);
    return Parent.empty() ? "" : Parent + Field->getDecl()->getNameAsString();
  }
  const auto *Element = dyn_cast<ElementRegion>(Region);
  std::string Parent = Element != nullptr ? parentName(Element, false, Depth) : "";
  if (Parent.empty())
    return "";
  auto Index = Element->getIndex().getAs<nonloc::ConcreteInt>();
  return Parent + "[" + (Index ? std::to_string(Index->getValue().getExtValue()) : "...") + "]";
}

void emitOnce(CheckerContext &C, std::unique_ptr<PathReport> Report) {
  static std::map<std::pair<std::string, unsigned>, std::string> Said;
  if (isAllowed(C.getSourceManager(), Report->place().asLocation(),
                Report->getBugType().getDescription()))
    return;
  unsigned Where = Report->place().asLocation().getRawEncoding();
  std::string &Text = Said[{Report->getBugType().getDescription().str(), Where}];
  if (!Text.empty() && Text != Report->getDescription())
    return; // another way to the same place
  Text = Report->getDescription().str();
  C.emitReport(std::move(Report));
}

bool &isStrict() {
  static bool Strict = false;
  return Strict;
}

const Colours &coloursOf(ASTContext &Context) {
  static const ASTContext *Of = nullptr;
  static Colours *Facts = nullptr;
  if (Of != &Context) {
    Facts = new Colours(Context);
    Of = &Context;
  }
  return *Facts;
}

const Promise *promiseOfEvent(const CallEvent &Call) {
  if (const auto *F = dyn_cast_or_null<FunctionDecl>(Call.getDecl()))
    return &promiseOf(F);
  const auto *E = dyn_cast_or_null<CallExpr>(Call.getOriginExpr());
  return E != nullptr ? promiseOfCall(E) : nullptr;
}

bool opaqueCallYields(const CallEvent &Call, const Colours &Facts) {
  if (const auto *F = dyn_cast_or_null<FunctionDecl>(Call.getDecl()))
    return Facts.yields(F);
  const auto *E = dyn_cast_or_null<CallExpr>(Call.getOriginExpr());
  return E != nullptr && Facts.callYields(E);
}

bool resultIsDiscarded(const CallExpr *E, ASTContext &Context) {
  const Stmt *Child = E;
  for (unsigned Depth = 0; Depth < 8; ++Depth) {
    auto Parents = Context.getParentMapContext().getParents(*Child);
    if (Parents.empty())
      return false;
    const auto *Parent = Parents[0].get<Stmt>();
    if (Parent == nullptr)
      return false;
    if (isa<CompoundStmt>(Parent)) {
      // The last statement of a statement expression is its value.
      auto Grand = Context.getParentMapContext().getParents(*Parent);
      return Grand.empty() || Grand[0].get<StmtExpr>() == nullptr;
    }
    if (isa<ParenExpr, ExprWithCleanups>(Parent)) {
      Child = Parent;
      continue;
    }
    if (const auto *Cast = dyn_cast<CastExpr>(Parent)) {
      if (Cast->getCastKind() == CK_ToVoid)
        return true;
      Child = Parent;
      continue;
    }
    if (const auto *If = dyn_cast<IfStmt>(Parent))
      return Child != If->getCond();
    if (const auto *For = dyn_cast<ForStmt>(Parent))
      return Child != For->getCond();
    if (const auto *While = dyn_cast<WhileStmt>(Parent))
      return Child != While->getCond();
    if (const auto *Do = dyn_cast<DoStmt>(Parent))
      return Child != Do->getCond();
    return isa<LabelStmt, SwitchCase>(Parent);
  }
  return false;
}

static const CompoundStmt *enclosingBlock(const Decl *D, ASTContext &Context) {
  DynTypedNodeList Parents = Context.getParentMapContext().getParents(*D);
  while (!Parents.empty()) {
    if (const auto *Block = Parents[0].get<CompoundStmt>())
      return Block;
    Parents = Context.getParentMapContext().getParents(Parents[0]);
  }
  return nullptr;
}

bool inScope(const VarDecl *Var, const Stmt *At, ASTContext &Context) {
  const CompoundStmt *Block = enclosingBlock(Var, Context);
  if (Block == nullptr)
    return true;
  const SourceManager &SM = Context.getSourceManager();
  SourceLocation Loc = SM.getExpansionLoc(At->getBeginLoc());
  SourceLocation End = SM.getExpansionLoc(Block->getEndLoc());
  SourceLocation Begin = SM.getExpansionLoc(Var->getBeginLoc());
  return !SM.isBeforeInTranslationUnit(Loc, Begin) && !SM.isBeforeInTranslationUnit(End, Loc);
}

const VarDecl *cleanedVariable(const MemRegion *Region) {
  const auto *Var = dyn_cast<VarRegion>(Region->getBaseRegion());
  return Var != nullptr && Var->getDecl()->hasAttr<CleanupAttr>() ? Var->getDecl() : nullptr;
}

bool isLoopWidening(llvm::ArrayRef<const MemRegion *> Explicit, const CallEvent *Call) {
  if (Call != nullptr)
    return false;
  for (const MemRegion *Region : Explicit)
    if (isa<StackLocalsSpaceRegion>(Region))
      return true;
  return false;
}

namespace {
/// `&order` in `(checks, (void **)(&order))`.
const Expr *withoutCasts(const Expr *E) {
  for (;;) {
    E = E->IgnoreParenCasts();
    const auto *Comma = dyn_cast<BinaryOperator>(E);
    if (Comma == nullptr || Comma->getOpcode() != BO_Comma)
      return E;
    E = Comma->getRHS();
  }
}
} // namespace

const MemRegion *holderOf(const CallEvent &Call, unsigned Index, CheckerContext &C) {
  const Expr *Address = withoutCasts(Call.getArgExpr(Index));
  QualType Held = Address->getType()->getPointeeType();
  const MemRegion *Region = Call.getArgSVal(Index).getAsRegion();
  if (Region == nullptr)
    return nullptr;
  Region = Region->StripCasts();
  SValBuilder &SVB = C.getSValBuilder();
  // StripCasts also takes the index away from the first element of an array.
  const auto *Typed = dyn_cast<TypedValueRegion>(Region);
  const ArrayType *Array =
      Typed != nullptr ? C.getASTContext().getAsArrayType(Typed->getValueType()) : nullptr;
  if (Array != nullptr)
    Held = Array->getElementType();
  else if (Typed != nullptr || Held.isNull() || !Held->isPointerType() || Held->isVoidPointerType())
    return Region;
  // What a pointer leads to: the very region that reading it gives.
  return SVB.getRegionManager().getElementRegion(Held, SVB.makeZeroArrayIndex(),
                                                 cast<SubRegion>(Region), C.getASTContext());
}

namespace {
/// Ends the analysis of a function at its entry when no rule can find anything in it, so that the
/// cost of the path-sensitive rules follows the amount of actor code.
class Gate : public Checker<check::BeginFunction> {
public:
  void checkBeginFunction(CheckerContext &C) const {
    if (!C.inTopFrame())
      return;
    const auto *F = dyn_cast<FunctionDecl>(C.getStackFrame()->getDecl());
    if (F == nullptr || !coloursOf(C.getASTContext()).worthAnalysing(F))
      C.generateSink(C.getState(), C.getPredecessor());
  }
};
} // namespace

/// clang 19 marks calls of __attribute__((cleanup)) functions as it marks destructors of C++, but
/// ends the path there: nothing behind the scope of such a variable would be looked at.
static void withoutCleanups(CheckerManager &Manager) {
  // The options are read after the checkers are made; a plugin has no other way to them.
  const_cast<AnalyzerOptions &>(Manager.getAnalyzerOptions()).ShouldIncludeImplicitDtorsInCFG =
      false;
  Manager.registerChecker<Gate>();
}

void registerGate(CheckerRegistry &Registry) {
  Registry.addChecker(
      withoutCleanups, [](const CheckerManager &) { return true; }, "cede.gate",
      "Skips functions without actor code", "", /*IsHidden=*/false);
}

} // namespace cede
