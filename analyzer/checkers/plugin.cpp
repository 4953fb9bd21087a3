//===- plugin.cpp - the path-sensitive rules inside clang's analyzer -----------===//
//
//     clang --analyze -Xclang -load -Xclang cede-checkers-19.so -Xclang -analyzer-checker=cede
//     app.c
//
// Name the package: clang drops a plugin that was built for another version of it without a word,
// and only a checker that is asked for and missing is an error.
//
//===----------------------------------------------------------------------===//
#include "path_report.h"

#include "clang/StaticAnalyzer/Frontend/CheckerRegistry.h"

using namespace clang::ento;

extern "C" __attribute__((visibility("default"))) const char clang_analyzerAPIVersionString[] =
    CLANG_ANALYZER_API_VERSION_STRING;

extern "C" __attribute__((visibility("default"))) void
clang_registerCheckers(CheckerRegistry &Registry) {
  cede::registerGate(Registry);
  cede::registerUseAfterSend(Registry);
  cede::registerGuardOverYield(Registry);
  cede::registerMessageLeak(Registry);
}
