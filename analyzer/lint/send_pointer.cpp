//===- send_pointer.cpp - a Send type with a pointer in it -----------------===//
//
// Rule: a struct that is declared CEDE_SEND holds values only: scalars, arrays and structs of
// values, and types that are Send themselves. No raw pointers, function pointers, streams or locks,
// at any depth. Harm: what the pointer leads to is used by the sender and by the receiver at once,
// and freed by either. Example:
//     struct CEDE_SEND job { char *name; };          // whose is it after the send?
// Cannot see: addresses in integers (uintptr_t), indices into shared tables, and whether the reason
// given to CEDE_ASSERT_SEND is true.
//
//===----------------------------------------------------------------------===//
#include "rules.h"

#include "clang/AST/Attr.h"
#include "clang/AST/DeclCXX.h"
#include "llvm/ADT/SmallPtrSet.h"

using namespace clang;

namespace cede {

namespace {

/// Why a type is not Send; the path leads from the field to the culprit.
struct Obstacle {
  std::string Path;
  std::string Why;
};

class SendCheck {
public:
  explicit SendCheck(LintContext &Lint) : Lint(Lint) {}
  void checkRecord(const RecordDecl *Record, const std::string &Name);
  void checkTypedef(const TypedefNameDecl *Typedef);

private:
  bool obstacleIn(QualType T, const std::string &Path, Obstacle &Out);
  bool obstacleInRecord(const RecordDecl *Record, const std::string &Path, Obstacle &Out);
  void checkFields(const RecordDecl *Record, const std::string &Name, const std::string &Prefix);
  void report(const FieldDecl *Field, const std::string &Name, const Obstacle &O);
  void reportAt(SourceLocation Loc, const std::string &Fact);

  LintContext &Lint;
  llvm::SmallPtrSet<const RecordDecl *, 8> Open;
};

/// Whether a record is Send by its own declaration, which is checked where it stands.
bool declaredSend(QualType T) {
  return typeHasAnnotation(T, "cede::send") || typeHasAnnotation(T, "cede::message");
}

/// The model's reason why a type cannot be sent, by any name that it is spelled with.
const std::string *modelledNotSend(QualType T) {
  for (;;) {
    if (const auto *Typedef = dyn_cast<TypedefType>(T.getTypePtr()))
      if (const std::string *Why = Models::get().notSend(Typedef->getDecl()->getName()))
        return Why;
    if (const auto *Tag = dyn_cast<TagType>(T.getTypePtr()))
      return Tag->getDecl()->getIdentifier() != nullptr
                 ? Models::get().notSend(Tag->getDecl()->getName())
                 : nullptr;
    QualType Next = T->getLocallyUnqualifiedSingleStepDesugaredType();
    if (Next.getTypePtr() == T.getTypePtr())
      return nullptr;
    T = Next;
  }
}

std::string typeText(QualType T) { return "'" + T.getAsString() + "'"; }

bool SendCheck::obstacleIn(QualType T, const std::string &Path, Obstacle &Out) {
  if (const std::string *Why = modelledNotSend(T)) {
    Out = {Path, typeText(T) + ": " + *Why};
    return true;
  }
  if (const auto *Array = Lint.Context.getAsArrayType(T))
    return obstacleIn(Array->getElementType(), Path + "[]", Out);
  if (const auto *Atomic = T->getAs<AtomicType>())
    return obstacleIn(Atomic->getValueType(), Path, Out);
  if (T->isPointerType() || T->isBlockPointerType()) {
    bool IsFunction = T->isFunctionPointerType();
    Out = {Path, (IsFunction ? "a function pointer, " : "a raw pointer, ") + typeText(T)};
    return true;
  }
  if (typeHasAnnotation(T, "cede::guard")) {
    Out = {Path, typeText(T) + ", a guard, which belongs to the thread that took it"};
    return true;
  }
  const auto *Record = T->getAsRecordDecl();
  if (Record == nullptr || declaredSend(T))
    return false;
  return obstacleInRecord(Record, Path, Out);
}

bool SendCheck::obstacleInRecord(const RecordDecl *Record, const std::string &Path, Obstacle &Out) {
  Record = Record->getDefinition();
  if (Record == nullptr || !Open.insert(Record).second)
    return false;
  bool Found = false;
  for (const FieldDecl *Field : Record->fields()) {
    llvm::StringRef Reason;
    if (assertsSend(Field, Reason))
      continue;
    std::string Name = Field->getName().empty() ? Path : Path + "." + Field->getName().str();
    if ((Found = obstacleIn(Field->getType(), Name, Out)))
      break;
  }
  Open.erase(Record);
  return Found;
}

void SendCheck::reportAt(SourceLocation Loc, const std::string &Fact) {
  Finding Out;
  Out.Rule = "send-pointer";
  Out.Loc = Loc;
  Out.Fact = Fact;
  Out.Repair = findRule("send-pointer")->Repair;
  Lint.Report(Out);
}

void SendCheck::report(const FieldDecl *Field, const std::string &Name, const Obstacle &O) {
  reportAt(Field->getLocation(),
           "'" + Name + "' is declared CEDE_SEND, but '" + O.Path + "' is " + O.Why);
}

/// A typedef of something that is no struct.
void SendCheck::checkTypedef(const TypedefNameDecl *Typedef) {
  Obstacle O;
  std::string Name = Typedef->getNameAsString();
  if (obstacleIn(Typedef->getUnderlyingType(), Name, O))
    reportAt(Typedef->getLocation(), "'" + Name + "' is declared CEDE_SEND, but it is " + O.Why);
}

void SendCheck::checkFields(const RecordDecl *Record, const std::string &Name,
                            const std::string &Prefix) {
  for (const FieldDecl *Field : Record->fields()) {
    std::string Path = Prefix + Field->getName().str();
    const RecordDecl *Inner = Field->getType()->getAsRecordDecl();
    bool SpelledHere = Inner != nullptr && Inner->getDefinition() != nullptr &&
                       Inner->getName().empty() && Inner->getTypedefNameForAnonDecl() == nullptr;
    llvm::StringRef Reason;
    if (assertsSend(Field, Reason)) {
      if (Reason.trim().empty())
        report(Field, Name, {Path, "vouched for without a reason"});
    } else if (SpelledHere && !declaredSend(Field->getType()) &&
               !typeHasAnnotation(Field->getType(), "cede::guard")) {
      checkFields(Inner->getDefinition(), Name, Field->getName().empty() ? Prefix : Path + ".");
    } else {
      Obstacle O;
      if (obstacleIn(Field->getType(), Path, O))
        report(Field, Name, O);
    }
  }
}

void SendCheck::checkRecord(const RecordDecl *Record, const std::string &Name) {
  // The two texts of the library own what they point to; their functions keep it so.
  if (Name == "cede_str" || Name == "cede_bytes")
    return;
  Open.insert(Record);
  checkFields(Record, Name, "");
  Open.erase(Record);
}

void visitDecls(const DeclContext *Decls, LintContext &Lint, SendCheck &Check) {
  for (const Decl *D : Decls->decls()) {
    if (const auto *F = dyn_cast<FunctionDecl>(D)) {
      visitDecls(F, Lint, Check);
      continue;
    }
    if (const auto *Inner = dyn_cast<DeclContext>(D))
      if (isa<RecordDecl, LinkageSpecDecl, NamespaceDecl>(D))
        visitDecls(Inner, Lint, Check);
    if (!Lint.isOurs(D->getLocation()))
      continue;
    if (const auto *Record = dyn_cast<RecordDecl>(D)) {
      if (Record->isThisDeclarationADefinition() && hasAnnotation(Record, "cede::send"))
        Check.checkRecord(Record, Record->getNameAsString());
    } else if (const auto *Typedef = dyn_cast<TypedefNameDecl>(D)) {
      QualType T = Typedef->getUnderlyingType();
      const auto *Under = T->getAsRecordDecl();
      if (!hasAnnotation(Typedef, "cede::send"))
        continue;
      if (Under == nullptr)
        Check.checkTypedef(Typedef);
      else if (Under->getDefinition() != nullptr && !hasAnnotation(Under, "cede::send"))
        Check.checkRecord(Under->getDefinition(), Typedef->getNameAsString());
    }
  }
}

} // namespace

void checkSendPointer(LintContext &Lint) {
  SendCheck Check(Lint);
  visitDecls(Lint.Context.getTranslationUnitDecl(), Lint, Check);
}

} // namespace cede
