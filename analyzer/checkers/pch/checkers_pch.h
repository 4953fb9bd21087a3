/* checkers_pch.h - compiled once for all checkers: clang's headers take most of a build's time. */
#ifndef CEDE_ANALYZER_CHECKERS_PCH_H
#define CEDE_ANALYZER_CHECKERS_PCH_H

#include "clang/AST/Attr.h"
#include "clang/AST/ParentMapContext.h"
#include "clang/StaticAnalyzer/Core/BugReporter/BugReporter.h"
#include "clang/StaticAnalyzer/Core/Checker.h"
#include "clang/StaticAnalyzer/Core/PathSensitive/CallEvent.h"
#include "clang/StaticAnalyzer/Core/PathSensitive/CheckerContext.h"
#include "clang/StaticAnalyzer/Frontend/CheckerRegistry.h"

#endif
