/* lint_pch.h - compiled once for all rules: clang's headers take most of the time of a build. */
#ifndef CEDE_ANALYZER_LINT_PCH_H
#define CEDE_ANALYZER_LINT_PCH_H

#include "clang/AST/ASTContext.h"
#include "clang/AST/Attr.h"
#include "clang/AST/RecursiveASTVisitor.h"
#include "clang/Analysis/CFG.h"
#include "clang/Lex/Preprocessor.h"

#endif
