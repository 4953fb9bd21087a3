//===- pages.cpp - the pages of the rules, built in ----------------------------===//
#include "output.h"

namespace cede {

const char Version[] = CEDE_VERSION " (clang " CEDE_CLANG_MAJOR ")";

namespace {
struct Page {
  const char *Rule;
  const char *Text;
};
const Page Pages[] = {
#include "rule_pages.inc"
};
} // namespace

llvm::StringRef rulePage(llvm::StringRef Rule) {
  for (const Page &P : Pages)
    if (Rule == P.Rule)
      return P.Text;
  return "";
}

} // namespace cede
