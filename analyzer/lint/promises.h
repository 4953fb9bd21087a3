//===- promises.h - what a declaration promises ---------------------------===//
//
// Reads the annotations of cede/annotate.h ("cede::yields" and so on) and the model files that say
// the same about functions of other libraries. Owns nothing of clang; the model table is filled
// once, before the first translation unit, and is constant afterwards.
//
//===----------------------------------------------------------------------===//
#ifndef CEDE_ANALYZER_LINT_PROMISES_H
#define CEDE_ANALYZER_LINT_PROMISES_H

#include "clang/AST/Decl.h"
#include "clang/AST/Expr.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"
#include <string>

namespace cede {

/// What happens to one argument.
struct ParamPromise {
  bool Moved = false;      ///< gone when the result says success
  bool MaybeMoved = false; ///< as Moved, and perhaps gone when it says failure
  bool Dropped = false;    ///< gone whatever the result
  bool ByValue = false;    ///< the pointer itself is given (models), not the address of a variable
  bool Given = false;      ///< `*p` is the caller's on success
  bool Borrowed = false;   ///< only looked at
  bool Lends = false;      ///< the result is a part of what it leads to
  bool Acquired = false;   ///< a guard is held from here
  bool AcquiredOnZero = false; ///< a guard is held when the result is 0
  bool Released = false;       ///< the guard ends

  bool moves() const { return Moved || MaybeMoved || Dropped; }
};

/// What a call does, as far as anybody has promised it.
struct Promise {
  bool Yields = false;
  bool NoYield = false;
  bool Blocks = false;
  bool ReturnsOwned = false;
  bool ReturnsKept = false;
  bool ThreadIdentity =
      false;                ///< the result belongs to the thread that asked (&errno, pthread_self)
  bool ThreadValue = false; ///< as ThreadIdentity, but each call gives it afresh
  bool ScopelessAcquire = false; ///< enters a section that has no object (rcu_read_lock)
  bool ScopelessRelease = false;
  bool UnlessNonBlocking = false; ///< does not block on a descriptor that was made so
  int BlocksUnlessZero = -1;      ///< blocks only if this argument is not zero
  int BlocksIfZero = -1;          ///< blocks only if this argument is zero
  int BlocksUnlessBits = -1;      ///< does not block if this argument has the bits of FreeBits
  unsigned FreeBits = 0;
  int BlocksIfEqual = -1; ///< blocks only if this argument is BlockingValue
  unsigned BlockingValue = 0;
  int BlocksUnlessNoTime = -1; ///< does not block if this argument points to a time of 0
  llvm::SmallVector<ParamPromise, 6> Params;

  /// Whether a call changes who owns a message.
  bool movesSomething() const;
  bool acquires() const;
  bool releases() const;
};

/// Parsed model files.
class Models {
public:
  /// The table of this process, with the built-in models loaded.
  static Models &get();
  /// Adds the text of one model file. On failure says where and why in \p Error.
  bool parse(llvm::StringRef Text, llvm::StringRef FileName, std::string &Error);
  bool load(llvm::StringRef Path, std::string &Error);

  const Promise *function(llvm::StringRef Name) const;
  /// Why a type cannot be sent, or null.
  const std::string *notSend(llvm::StringRef TypeName) const;

private:
  bool parseFunction(llvm::ArrayRef<llvm::StringRef> Words, std::string &Error);
  llvm::StringMap<Promise> Functions;
  llvm::StringMap<std::string> NotSendTypes;
};

/// Whether \p D, any redeclaration of it, or (for a typedef) its declaration carries the
/// annotation.
bool hasAnnotation(const clang::Decl *D, llvm::StringRef Text);
/// As hasAnnotation, and also looks through the typedefs that \p T is spelled with, and through
/// pointers.
bool typeHasAnnotation(clang::QualType T, llvm::StringRef Text);
/// Whether a field carries CEDE_ASSERT_SEND, and the reason given to it.
bool assertsSend(const clang::FieldDecl *Field, llvm::StringRef &Reason);

/// Everything promised about calling \p F, from annotations and models.
const Promise &promiseOf(const clang::FunctionDecl *F);
/// As promiseOf, of what a call calls; through a pointer, what its declaration says. Null: nothing.
const Promise *promiseOfCall(const clang::CallExpr *Call);
/// Whether calling through a pointer declared as \p D, of type \p T, may yield.
bool pointerYields(const clang::ValueDecl *D, clang::QualType T);
/// The variable, field or parameter that an expression reads a function pointer from, or null.
const clang::ValueDecl *pointerSource(const clang::Expr *E);
/// Whether the callee, function or pointer, is declared to yield.
bool callDeclaredYields(const clang::CallExpr *Call);

/// The name that a user knows a declaration by: `cede_send` for `cedei_send`.
std::string displayName(const clang::NamedDecl *D);
/// The user's name for what a call calls; "a function pointer" when it has none.
std::string calleeName(const clang::CallExpr *Call);

bool hasPrefix(llvm::StringRef Text, llvm::StringRef Prefix);

} // namespace cede

#endif
