//===- compile_db.cpp - reads compile_commands.json ------------------------===//
//
// The commands were written for the user's compiler, often gcc. What only gcc knows is taken out by
// asking clang's own option table: an option that it does not know, does not matter to the rules.
//
//===----------------------------------------------------------------------===//
#include "compile_db.h"

#include "clang/Basic/Version.h"
#include "clang/Driver/Options.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Option/ArgList.h"
#include "llvm/Option/OptTable.h"
#include "llvm/Support/Allocator.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/StringSaver.h"

using namespace llvm;
namespace options = clang::driver::options;

namespace cede {

std::string absoluteIn(const std::string &Path, const std::string &Directory) {
  SmallString<256> Out(Path);
  if (!sys::path::is_absolute(Out)) {
    Out = Directory;
    sys::fs::make_absolute(Out);
    sys::path::append(Out, Path);
  }
  sys::path::remove_dots(Out, /*remove_dot_dot=*/true);
  return std::string(Out);
}

static bool startsWith(StringRef Text, StringRef Prefix) {
  return Text.take_front(Prefix.size()) == Prefix;
}

static bool endsWith(StringRef Text, StringRef Suffix) {
  return Text.take_back(Suffix.size()) == Suffix;
}

static std::vector<std::string> tokenize(StringRef Text) {
  BumpPtrAllocator Memory;
  StringSaver Saver(Memory);
  SmallVector<const char *, 64> Words;
  cl::TokenizeGNUCommandLine(Text, Saver, Words);
  return std::vector<std::string>(Words.begin(), Words.end());
}

/// Puts the words of @FILE in the place of it.
static std::vector<std::string> expandResponseFiles(const std::vector<std::string> &Words,
                                                    const std::string &Directory, unsigned Depth) {
  std::vector<std::string> Out;
  for (const std::string &Word : Words) {
    auto Buffer =
        Word.size() > 1 && Word[0] == '@' && Depth < 8
            ? MemoryBuffer::getFile(absoluteIn(Word.substr(1), Directory))
            : ErrorOr<std::unique_ptr<MemoryBuffer>>(std::errc::no_such_file_or_directory);
    if (!Buffer) {
      Out.push_back(Word);
      continue;
    }
    for (std::string &Inner :
         expandResponseFiles(tokenize((*Buffer)->getBuffer()), Directory, Depth + 1))
      Out.push_back(Inner);
  }
  return Out;
}

/// Whether a word is a program that runs the compiler, such as ccache, or a variable set for it.
static bool isLauncher(StringRef Word, StringRef Next) {
  StringRef Name = sys::path::filename(Word);
  static const char *const Names[] = {"ccache", "sccache", "distcc", "icecc",  "env",
                                      "nice",   "time",    "gomacc", "rewrap", "buildcache"};
  for (const char *Launcher : Names)
    if (Name == Launcher)
      return !startsWith(Next, "-") || Name == "env";
  return Word.contains('=') && !startsWith(Word, "-") && !Word.contains('/');
}

/// The architecture in the name of a cross compiler, such as aarch64-linux-gnu-gcc-12; else empty.
static std::string targetOf(StringRef Program) {
  StringRef Name = sys::path::filename(Program);
  for (const char *Tool : {"-gcc", "-cc", "-clang"}) {
    size_t At = Name.rfind(Tool);
    if (At != StringRef::npos && At > 0 && Name.take_front(At).contains('-'))
      return Name.take_front(At).str();
  }
  return "";
}

/// Options that make clang write files, print, or fail where the user's compiler would not.
static bool isUnwanted(const opt::Option &O) {
  static const unsigned Unwanted[] = {options::OPT_o,
                                      options::OPT_c,
                                      options::OPT_S,
                                      options::OPT_E,
                                      options::OPT_M,
                                      options::OPT_MM,
                                      options::OPT_MD,
                                      options::OPT_MMD,
                                      options::OPT_MF,
                                      options::OPT_MT,
                                      options::OPT_MQ,
                                      options::OPT_MP,
                                      options::OPT_MG,
                                      options::OPT_MJ,
                                      options::OPT_v,
                                      options::OPT_save_temps,
                                      options::OPT_save_temps_EQ,
                                      options::OPT_UNKNOWN,
                                      options::OPT_fplugin_EQ,
                                      options::OPT_pg,
                                      options::OPT_ftime_report,
                                      options::OPT_verify,
                                      options::OPT_pedantic_errors,
                                      options::OPT_flto,
                                      options::OPT_flto_EQ};
  for (unsigned Id : Unwanted)
    if (O.matches(Id))
      return true;
  return false;
}

/// Whether an option has to do with what the code means.
static bool isWanted(const opt::Arg &A) {
  StringRef Spelled = A.getSpelling();
  if (A.getOption().getKind() == opt::Option::InputClass || isUnwanted(A.getOption()))
    return false;
  if (startsWith(Spelled, "-Werror") || startsWith(Spelled, "-Wp,"))
    return false;
  return !A.getOption().matches(options::OPT_W_Joined); // warnings are the build's business
}

/// What stands for an option that has to do with precompiled headers; false for another one. Those
/// were made by another compiler, so the header itself is read. clang's driver would take a
/// precompiled one that lies beside it.
static bool readHeaderInstead(const std::vector<const opt::Arg *> &Parsed, size_t &At,
                              std::vector<std::string> &Out) {
  auto Include = [&Out](StringRef Header) {
    Out.insert(Out.end(), {"-Xclang", "-include", "-Xclang", Header.str()});
  };
  const opt::Arg &A = *Parsed[At];
  if (A.getOption().matches(options::OPT_include)) {
    Include(A.getValue());
    return true;
  }
  if (A.getOption().matches(options::OPT_include_pch)) {
    StringRef Header = A.getValue();
    if (!Header.consume_back(".pch"))
      Header.consume_back(".gch");
    Include(Header);
    return true;
  }
  bool IsPair = A.getOption().matches(options::OPT_Xclang) &&
                StringRef(A.getValue()) == "-include-pch" && At + 1 < Parsed.size() &&
                Parsed[At + 1]->getOption().matches(options::OPT_Xclang);
  At += IsPair ? 1 : 0; // cmake names the header besides
  return IsPair;
}

/// The command for clang. \p File is added last; inputs of the original command fall away.
static std::vector<std::string> commandFor(const std::vector<std::string> &Words,
                                           const std::string &File,
                                           const std::string &ResourceDir) {
  std::vector<std::string> Out{"clang"};
  if (!Words.empty()) {
    std::string Target = targetOf(Words[0]);
    if (!Target.empty())
      Out.push_back("--target=" + Target);
  }
  std::vector<const char *> Raw;
  for (size_t I = 1; I < Words.size(); ++I)
    Raw.push_back(Words[I].c_str());
  unsigned MissingIndex = 0, MissingCount = 0;
#if CLANG_VERSION_MAJOR >= 18
  opt::InputArgList Args = clang::driver::getDriverOptTable().ParseArgs(
      Raw, MissingIndex, MissingCount, opt::Visibility(options::ClangOption));
#else
  opt::InputArgList Args = clang::driver::getDriverOptTable().ParseArgs(
      Raw, MissingIndex, MissingCount, 0, options::CLOption);
#endif
  std::vector<const opt::Arg *> Parsed(Args.begin(), Args.end());
  for (size_t I = 0; I < Parsed.size(); ++I) {
    if (!isWanted(*Parsed[I]) || readHeaderInstead(Parsed, I, Out))
      continue;
    // The words as they were written, up to those of the next option.
    size_t End = I + 1 < Parsed.size() ? Parsed[I + 1]->getIndex() : Raw.size();
    for (size_t Word = Parsed[I]->getIndex(); Word < End; ++Word)
      Out.push_back(Raw[Word]);
  }
  // Without carets clang does not count its errors aloud; the first one is reported here.
  Out.insert(Out.end(), {"-w", "-fno-caret-diagnostics", "-fsyntax-only", "-Wno-error",
                         "-resource-dir", ResourceDir});
  Out.push_back(File);
  return Out;
}

static bool isC(const std::vector<std::string> &Words, StringRef File) {
  bool ByName = endsWith(File, ".c") || endsWith(File, ".i");
  for (size_t I = 0; I < Words.size(); ++I) {
    StringRef Language;
    if (Words[I] == "-x" && I + 1 < Words.size())
      Language = Words[I + 1];
    else if (startsWith(Words[I], "-x") && Words[I].size() > 2)
      Language = StringRef(Words[I]).drop_front(2);
    if (!Language.empty() && Language != "none")
      ByName = Language == "c" || Language == "cpp-output";
  }
  return ByName;
}

static bool readEntry(const json::Object &Entry, const std::string &Base, CompileDb &Db,
                      StringSet<> &Seen, const std::string &ResourceDir) {
  auto File = Entry.getString("file");
  if (!File) {
    Db.Error = "an entry has no \"file\"";
    return false;
  }
  auto Directory = Entry.getString("directory");
  Unit U;
  std::string Where = Directory ? Directory->str() : ".";
  U.Directory = absoluteIn(Where, Base);
  // Who writes a relative folder means the one with the database in it, or the one that the program
  // that wrote it was started in.
  if (!sys::fs::is_directory(U.Directory) && sys::fs::is_directory(absoluteIn(Where, ".")))
    U.Directory = absoluteIn(Where, ".");
  U.File = absoluteIn(File->str(), U.Directory);
  std::vector<std::string> Words;
  if (const json::Array *Arguments = Entry.getArray("arguments")) {
    for (const json::Value &Word : *Arguments)
      if (auto Text = Word.getAsString())
        Words.push_back(Text->str());
  } else if (auto Command = Entry.getString("command")) {
    Words = tokenize(*Command);
  } else {
    Db.Error = U.File + ": the entry has neither \"command\" nor \"arguments\"";
    return false;
  }
  while (Words.size() > 1 && isLauncher(Words[0], Words[1]))
    Words.erase(Words.begin());
  Words = expandResponseFiles(Words, U.Directory, 0);
  if (!isC(Words, U.File)) {
    ++Db.Skipped;
    return true;
  }
  U.Command = commandFor(Words, U.File, ResourceDir);
  std::string Key = U.Directory;
  for (const std::string &Word : U.Command)
    Key += '\n' + Word;
  if (Seen.insert(Key).second)
    Db.Units.push_back(U);
  return true;
}

CompileDb readCompileDb(const std::string &Build, const std::string &ResourceDir) {
  CompileDb Db;
  SmallString<256> Path(Build);
  if (sys::fs::is_directory(Path))
    sys::path::append(Path, "compile_commands.json");
  auto Buffer = MemoryBuffer::getFile(Path);
  if (!Buffer) {
    Db.Error = "cannot read " + std::string(Path) + ": " + Buffer.getError().message() +
               "; -p names the folder in which meson, cmake or bear wrote it, and without one: "
               "cede-check FILE -- COMPILER OPTIONS";
    return Db;
  }
  Expected<json::Value> Parsed = json::parse((*Buffer)->getBuffer());
  if (!Parsed) {
    Db.Error = std::string(Path) + " is not valid JSON: " + toString(Parsed.takeError());
    return Db;
  }
  const json::Array *Entries = Parsed->getAsArray();
  if (Entries == nullptr) {
    Db.Error = std::string(Path) + " is not a list of compile commands";
    return Db;
  }
  std::string Base = sys::path::parent_path(absoluteIn(std::string(Path), ".")).str();
  StringSet<> Seen;
  for (const json::Value &Entry : *Entries) {
    const json::Object *Object = Entry.getAsObject();
    if (Object == nullptr)
      Db.Error = "an entry is not an object";
    if (Object == nullptr || !readEntry(*Object, Base, Db, Seen, ResourceDir)) {
      Db.Error = std::string(Path) + ": " + Db.Error;
      return Db;
    }
  }
  return Db;
}

Unit unitFor(const std::string &File, const std::vector<std::string> &Options,
             const std::string &ResourceDir) {
  Unit U;
  U.Directory = absoluteIn(".", ".");
  U.File = absoluteIn(File, ".");
  std::vector<std::string> Words{"cc"};
  Words.insert(Words.end(), Options.begin(), Options.end());
  U.Command = commandFor(Words, U.File, ResourceDir);
  return U;
}

} // namespace cede
