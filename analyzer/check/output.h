//===- output.h - findings for people and for programs ----------------------===//
#ifndef CEDE_ANALYZER_CHECK_OUTPUT_H
#define CEDE_ANALYZER_CHECK_OUTPUT_H

#include "sources.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/raw_ostream.h"

namespace cede {

/// The path as shown: relative to the working directory when it lies below it.
std::string shownPath(const std::string &File);

/// `path:line:col: warning: fact [rule]`, the line itself, the way there, the repair.
void printText(const CheckFinding &F, Sources &Files, llvm::raw_ostream &OS);

/// What goes into a SARIF log besides the findings.
struct SarifRun {
  std::string Root; ///< paths are relative to this folder
  std::vector<std::string> Errors;
  std::vector<std::string> Notes;
};

/// What a fingerprint is called in SARIF.
extern const char FingerprintName[];
/// Names each finding by rule, function, text of the line and file, and by its count among equal
/// ones.
void addFingerprints(std::vector<CheckFinding> &Findings, const std::string &Root, Sources &Files);
/// Reads the fingerprints of a SARIF log. False with \p Error set when it is none.
bool readBaseline(const std::string &Path, llvm::StringSet<> &Out, std::string &Error);

/// Writes SARIF 2.1.0. False with \p Error set when the file cannot be written.
bool writeSarif(const std::string &Path, const std::vector<CheckFinding> &Findings,
                const SarifRun &Run, Sources &Files, std::string &Error);

/// The page of a rule, from analyzer/rules.
llvm::StringRef rulePage(llvm::StringRef Rule);

extern const char Version[];

} // namespace cede

#endif
