//===- promises.cpp - annotations and models ------------------------------===//
//
// Any redeclaration of a function counts, and so does the typedef that a function or a pointer is
// declared with. A model applies by name to functions that have no body in the translation unit.
//
//===----------------------------------------------------------------------===//
#include "promises.h"

#include "clang/AST/Attr.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace clang;
using llvm::StringRef;

namespace cede {

static const char BuiltinModels[] =
#include "builtin_models.inc"
    ;

bool hasPrefix(StringRef Text, StringRef Prefix) {
  return Text.take_front(Prefix.size()) == Prefix;
}

bool Promise::movesSomething() const {
  for (const ParamPromise &P : Params)
    if (P.moves() || P.Given)
      return true;
  return ReturnsOwned || ReturnsKept;
}

bool Promise::acquires() const {
  for (const ParamPromise &P : Params)
    if (P.Acquired || P.AcquiredOnZero)
      return true;
  return ScopelessAcquire;
}

bool Promise::releases() const {
  for (const ParamPromise &P : Params)
    if (P.Released)
      return true;
  return ScopelessRelease;
}

//===-- models ------------------------------------------------------------===//

Models &Models::get() {
  static Models *Table = [] {
    auto *M = new Models;
    std::string Error;
    if (!M->parse(BuiltinModels, "built-in models", Error))
      llvm::report_fatal_error(StringRef(Error));
    return M;
  }();
  return *Table;
}

bool Models::load(StringRef Path, std::string &Error) {
  auto Buffer = llvm::MemoryBuffer::getFile(Path);
  if (!Buffer) {
    Error = Path.str() + ": " + Buffer.getError().message();
    return false;
  }
  return parse((*Buffer)->getBuffer(), Path, Error);
}

bool Models::parse(StringRef Text, StringRef FileName, std::string &Error) {
  unsigned LineNumber = 0;
  while (!Text.empty()) {
    StringRef Line;
    std::tie(Line, Text) = Text.split('\n');
    ++LineNumber;
    Line = Line.split('#').first.trim();
    if (Line.empty())
      continue;
    llvm::SmallVector<StringRef, 8> Words;
    Line.split(Words, ' ', -1, /*KeepEmpty=*/false);
    std::string Why;
    if (Words[0] == "function" && Words.size() >= 3) {
      parseFunction(Words, Why);
    } else if (Words[0] == "type" && Words.size() >= 4 && Words[2] == "not_send") {
      StringRef Reason = Line.substr(size_t(Words[3].data() - Line.data()));
      NotSendTypes[Words[1]] = Reason.str();
    } else {
      Why = "expected 'function NAME EFFECT...' or 'type NAME not_send REASON'";
    }
    if (!Why.empty()) {
      Error = FileName.str() + ":" + std::to_string(LineNumber) + ": " + Why;
      return false;
    }
  }
  return true;
}

/// Sets the effect named \p Word on a parameter. False for a word that is none.
static bool setParamEffect(ParamPromise &P, StringRef Word) {
  if (Word == "takes") {
    P.Dropped = P.ByValue = true;
  } else if (Word == "takes_on_zero") {
    P.Moved = P.ByValue = true;
  } else if (Word == "borrows") {
    P.Borrowed = true;
  } else if (Word == "lends") {
    P.Lends = true;
  } else if (Word == "acquires") {
    P.Acquired = true;
  } else if (Word == "acquires_on_zero") {
    P.AcquiredOnZero = true;
  } else if (Word == "releases") {
    P.Released = true;
  } else {
    return false;
  }
  return true;
}

static bool setCallEffect(Promise &P, StringRef Word) {
  if (Word == "yields")
    P.Yields = true;
  else if (Word == "noyield")
    P.NoYield = true;
  else if (Word == "blocks")
    P.Blocks = true;
  else if (Word == "blocks_unless_nonblocking")
    P.Blocks = P.UnlessNonBlocking = true;
  else if (Word == "returns_owned")
    P.ReturnsOwned = true;
  else if (Word == "thread_identity")
    P.ThreadIdentity = true;
  else if (Word == "thread_value")
    P.ThreadValue = true;
  else if (Word == "enters")
    P.ScopelessAcquire = true;
  else if (Word == "leaves")
    P.ScopelessRelease = true;
  else
    return false;
  return true;
}

bool Models::parseFunction(llvm::ArrayRef<StringRef> Words, std::string &Error) {
  Promise P;
  for (StringRef Word : Words.drop_front(2)) {
    StringRef Name, Index;
    std::tie(Name, Index) = Word.split(':');
    StringRef Bits;
    std::tie(Index, Bits) = Index.split(',');
    unsigned Number = 0;
    if (Index.empty()) {
      if (!setCallEffect(P, Name)) {
        Error = "unknown effect '" + Word.str() + "'";
        return false;
      }
      continue;
    }
    if (Index.getAsInteger(10, Number) || Number == 0 || Number > 32) {
      Error = "'" + Word.str() + "': parameters are counted from 1 to 32";
      return false;
    }
    if (Name == "blocks_unless_zero") {
      P.BlocksUnlessZero = int(Number) - 1;
      P.Blocks = true;
      continue;
    }
    if (Name == "blocks_unless_bits") {
      P.BlocksUnlessBits = int(Number) - 1;
      P.Blocks = true;
      if (Bits.getAsInteger(0, P.FreeBits)) {
        Error = "'" + Word.str() + "': expected blocks_unless_bits:N,MASK";
        return false;
      }
      continue;
    }
    if (Name == "blocks_if_equal") {
      P.BlocksIfEqual = int(Number) - 1;
      P.Blocks = true;
      if (Bits.getAsInteger(0, P.BlockingValue)) {
        Error = "'" + Word.str() + "': expected blocks_if_equal:N,VALUE";
        return false;
      }
      continue;
    }
    if (Name == "blocks_unless_no_time") {
      P.BlocksUnlessNoTime = int(Number) - 1;
      P.Blocks = true;
      continue;
    }
    if (Name == "blocks_if_zero") {
      P.BlocksIfZero = int(Number) - 1;
      P.Blocks = true;
      continue;
    }
    if (P.Params.size() < Number)
      P.Params.resize(Number);
    if (!setParamEffect(P.Params[Number - 1], Name)) {
      Error = "unknown effect '" + Word.str() + "'";
      return false;
    }
  }
  Functions[Words[1]] = P;
  return true;
}

const Promise *Models::function(StringRef Name) const {
  auto It = Functions.find(Name);
  return It == Functions.end() ? nullptr : &It->second;
}

const std::string *Models::notSend(StringRef TypeName) const {
  auto It = NotSendTypes.find(TypeName);
  return It == NotSendTypes.end() ? nullptr : &It->second;
}

//===-- annotations -------------------------------------------------------===//

static bool attrsHaveAnnotation(const Decl *D, StringRef Text) {
  if (!D->hasAttrs())
    return false;
  for (const auto *A : D->specific_attrs<AnnotateAttr>())
    if (A->getAnnotation() == Text)
      return true;
  return false;
}

bool hasAnnotation(const Decl *D, StringRef Text) {
  if (D == nullptr)
    return false;
  for (const Decl *R : D->redecls())
    if (attrsHaveAnnotation(R, Text))
      return true;
  return false;
}

/// One step from a type towards the function or record that it is about; null at the end.
static QualType peelType(QualType T) {
  if (const auto *P = dyn_cast<PointerType>(T.getTypePtr()))
    return P->getPointeeType();
  if (const auto *A = dyn_cast<ArrayType>(T.getTypePtr()))
    return A->getElementType();
  if (const auto *A = dyn_cast<AtomicType>(T.getTypePtr()))
    return A->getValueType();
  return QualType();
}

bool typeHasAnnotation(QualType T, StringRef Text) {
  while (!T.isNull()) {
    if (const auto *Typedef = dyn_cast<TypedefType>(T.getTypePtr()))
      if (hasAnnotation(Typedef->getDecl(), Text))
        return true;
    if (const auto *Tag = dyn_cast<TagType>(T.getTypePtr()))
      return hasAnnotation(Tag->getDecl(), Text);
    if (isa<FunctionType>(T.getTypePtr()))
      return false;
    QualType Next = peelType(T);
    if (Next.isNull()) {
      Next = T->getLocallyUnqualifiedSingleStepDesugaredType();
      if (Next.getTypePtr() == T.getTypePtr())
        return false;
    }
    T = Next;
  }
  return false;
}

bool assertsSend(const FieldDecl *Field, StringRef &Reason) {
  if (!Field->hasAttrs())
    return false;
  for (const auto *A : Field->specific_attrs<AnnotateAttr>()) {
    Reason = A->getAnnotation();
    if (Reason.consume_front("cede::assert_send:"))
      return true;
  }
  return false;
}

/// Adds what annotations on one parameter of any redeclaration say.
static void addParamAnnotations(ParamPromise &Out, const ParmVarDecl *Param) {
  if (!Param->hasAttrs())
    return;
  for (const auto *A : Param->specific_attrs<AnnotateAttr>()) {
    StringRef Text = A->getAnnotation();
    Out.Moved |= Text == "cede::moved";
    Out.MaybeMoved |= Text == "cede::asked";
    Out.Dropped |= Text == "cede::dropped";
    Out.Given |= Text == "cede::given";
    Out.Borrowed |= Text == "cede::borrowed";
    Out.Lends |= Text == "cede::lends";
    Out.Acquired |= Text == "cede::acquired";
    Out.AcquiredOnZero |= Text == "cede::acquired_on_ok";
    Out.Released |= Text == "cede::released";
  }
  if (Out.moves()) {
    QualType Pointee = Param->getType()->getPointeeType();
    Out.ByValue = Pointee.isNull() || !Pointee->isPointerType();
  }
}

static Promise readPromise(const FunctionDecl *F) {
  Promise P;
  if (F->getIdentifier() != nullptr && !F->hasBody() && F->isExternC())
    if (const Promise *Model = Models::get().function(F->getName()))
      P = *Model;
  auto Has = [F](StringRef Text) {
    if (hasAnnotation(F, Text))
      return true;
    for (const FunctionDecl *R : F->redecls())
      if (typeHasAnnotation(R->getType(), Text)) // declared by a typedef of a function type
        return true;
    return false;
  };
  P.Yields |= Has("cede::yields");
  P.NoYield |= Has("cede::noyield");
  P.Blocks |= Has("cede::blocks");
  P.ReturnsOwned |= Has("cede::returns_owned");
  P.ReturnsKept |= Has("cede::returns_kept");
  P.ScopelessAcquire |= Has("cede::acquired");
  P.ScopelessRelease |= Has("cede::released");
  if (P.Params.size() < F->getNumParams())
    P.Params.resize(F->getNumParams());
  for (const FunctionDecl *R : F->redecls())
    for (unsigned I = 0; I < R->getNumParams() && I < P.Params.size(); ++I)
      addParamAnnotations(P.Params[I], R->getParamDecl(I));
  return P;
}

const Promise &promiseOf(const FunctionDecl *F) {
  // Keyed by the latest redeclaration: a promise read in the middle of a file may lack a later one.
  static llvm::DenseMap<const FunctionDecl *, Promise *> Cache;
  Promise *&Slot = Cache[F->getMostRecentDecl()];
  if (Slot == nullptr)
    Slot = new Promise(readPromise(F));
  return *Slot;
}

/// The parameters of the function that a declared pointer leads to, through typedefs and arrays.
static llvm::ArrayRef<ParmVarDecl *> pointedParams(const DeclaratorDecl *D) {
  TypeLoc At = D->getTypeSourceInfo() != nullptr ? D->getTypeSourceInfo()->getTypeLoc() : TypeLoc();
  for (unsigned Depth = 0; !At.isNull() && Depth < 32; ++Depth) {
    if (auto Function = At.getAs<FunctionProtoTypeLoc>())
      return Function.getParams();
    if (auto Typedef = At.getAs<TypedefTypeLoc>()) {
      const TypeSourceInfo *Info = Typedef.getTypedefNameDecl()->getTypeSourceInfo();
      At = Info != nullptr ? Info->getTypeLoc() : TypeLoc();
    } else {
      At = At.getNextTypeLoc();
    }
  }
  return {};
}

static Promise readPointerPromise(const DeclaratorDecl *D) {
  Promise P;
  P.Yields = pointerYields(D, D->getType());
  P.Blocks = hasAnnotation(D, "cede::blocks") || typeHasAnnotation(D->getType(), "cede::blocks");
  for (const ParmVarDecl *Param : pointedParams(D)) {
    P.Params.emplace_back();
    addParamAnnotations(P.Params.back(), Param);
  }
  return P;
}

const Promise *promiseOfCall(const CallExpr *Call) {
  static llvm::DenseMap<const ValueDecl *, Promise *> Cache;
  if (const FunctionDecl *F = Call->getDirectCallee())
    return &promiseOf(F);
  const auto *D = dyn_cast_or_null<DeclaratorDecl>(pointerSource(Call->getCallee()));
  if (D == nullptr)
    return nullptr;
  Promise *&Slot = Cache[D];
  if (Slot == nullptr)
    Slot = new Promise(readPointerPromise(D));
  return Slot;
}

bool pointerYields(const ValueDecl *D, QualType T) {
  if (D != nullptr && hasAnnotation(D, "cede::yields"))
    return true;
  if (D != nullptr && typeHasAnnotation(D->getType(), "cede::yields"))
    return true;
  return !T.isNull() && typeHasAnnotation(T, "cede::yields");
}

const ValueDecl *pointerSource(const Expr *E) {
  for (;;) {
    E = E->IgnoreParenImpCasts();
    if (const auto *Ref = dyn_cast<DeclRefExpr>(E))
      return Ref->getDecl();
    if (const auto *Member = dyn_cast<MemberExpr>(E))
      return Member->getMemberDecl();
    if (const auto *Index = dyn_cast<ArraySubscriptExpr>(E)) {
      E = Index->getBase();
      continue;
    }
    const auto *Unary = dyn_cast<UnaryOperator>(E);
    if (Unary == nullptr || (Unary->getOpcode() != UO_Deref && Unary->getOpcode() != UO_AddrOf))
      return nullptr;
    E = Unary->getSubExpr();
  }
}

/// Whether calling the value of an expression, a pointer or a choice between functions, may yield.
static bool calleeYields(const Expr *Callee) {
  Callee = Callee->IgnoreParenImpCasts();
  if (const auto *Choice = dyn_cast<ConditionalOperator>(Callee))
    return calleeYields(Choice->getTrueExpr()) || calleeYields(Choice->getFalseExpr());
  const ValueDecl *Source = pointerSource(Callee);
  if (const auto *F = dyn_cast_or_null<FunctionDecl>(Source))
    return promiseOf(F).Yields;
  return pointerYields(Source, Callee->getType());
}

bool callDeclaredYields(const CallExpr *Call) {
  if (const FunctionDecl *F = Call->getDirectCallee())
    return promiseOf(F).Yields;
  return calleeYields(Call->getCallee());
}

std::string displayName(const NamedDecl *D) {
  // The functions behind the macros of the public headers are called as those are.
  std::string Name = D->getNameAsString();
  bool IsBehindMacro = hasPrefix(Name, "cedei_") && !hasPrefix(Name, "cedei_dispatch_");
  return IsBehindMacro ? "cede_" + Name.substr(6) : Name;
}

std::string calleeName(const CallExpr *Call) {
  if (const FunctionDecl *F = Call->getDirectCallee())
    return displayName(F);
  if (const ValueDecl *D = pointerSource(Call->getCallee()))
    return displayName(D);
  return "a function pointer";
}

} // namespace cede
