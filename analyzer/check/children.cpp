//===- children.cpp - translation units in processes of their own ------------===//
#include "children.h"

#include "llvm/Support/raw_ostream.h"
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>
#include <sys/wait.h>
#include <unistd.h>

using namespace llvm;

namespace cede {

namespace {
struct Child {
  const Unit *Of;
  FILE *Result;
};
} // namespace

/// What a child does; does not return.
[[noreturn]] static void runChild(const Unit &U, const ChildOptions &Options, FILE *Result) {
  alarm(Options.Seconds);
  UnitResult R;
  if (chdir(U.Directory.c_str()) != 0)
    R.Error = "cannot enter " + U.Directory + ": " + strerror(errno);
  else
    R = analyseUnit(U.Command, Options.Analyse);
  std::string Text;
  raw_string_ostream(Text) << toJSON(R);
  bool Written = fwrite(Text.data(), 1, Text.size(), Result) == Text.size() && fflush(Result) == 0;
  _exit(Written ? 0 : 1);
}

static std::string describeStatus(int Status, unsigned Seconds) {
  if (WIFSIGNALED(Status) && WTERMSIG(Status) == SIGALRM)
    return "took longer than " + std::to_string(Seconds) + " s and was stopped";
  if (WIFSIGNALED(Status))
    return std::string("the analysis crashed: ") + strsignal(WTERMSIG(Status));
  return "the analysis ended with status " + std::to_string(WEXITSTATUS(Status));
}

static UnitResult readResult(FILE *Result) {
  UnitResult R;
  std::string Text;
  char Buffer[65536];
  rewind(Result);
  for (size_t Size; (Size = fread(Buffer, 1, sizeof Buffer, Result)) > 0;)
    Text.append(Buffer, Size);
  Expected<json::Value> Parsed = json::parse(Text);
  json::Path::Root Root("result");
  if (!Parsed) {
    consumeError(Parsed.takeError());
    R.Error = "the analysis gave no result";
  } else if (!fromJSON(*Parsed, R, Root)) {
    R = UnitResult();
    R.Error = "the analysis gave an unreadable result";
    consumeError(Root.getError());
  }
  return R;
}

void analyseAll(const std::vector<Unit> &Units, const ChildOptions &Options,
                const std::function<void(const Unit &, const UnitResult &)> &Done) {
  std::map<pid_t, Child> Running;
  size_t Next = 0;
  while (Next < Units.size() || !Running.empty()) {
    while (Next < Units.size() && Running.size() < Options.Jobs) {
      const Unit &U = Units[Next++];
      FILE *Result = tmpfile();
      fflush(nullptr);
      pid_t Pid = Result != nullptr ? fork() : -1;
      if (Pid == 0)
        runChild(U, Options, Result);
      if (Pid < 0) {
        UnitResult Failed;
        Failed.Error = std::string("cannot start a process: ") + strerror(errno);
        if (Result != nullptr)
          fclose(Result);
        Done(U, Failed);
        continue;
      }
      Running[Pid] = {&U, Result};
    }
    int Status = 0;
    pid_t Pid = waitpid(-1, &Status, 0);
    auto It = Running.find(Pid);
    if (It == Running.end()) {
      if (Pid < 0 && errno != EINTR)
        break;
      continue;
    }
    UnitResult R;
    if (WIFEXITED(Status) && WEXITSTATUS(Status) == 0)
      R = readResult(It->second.Result);
    else
      R.Error = describeStatus(Status, Options.Seconds);
    fclose(It->second.Result);
    const Unit &U = *It->second.Of;
    Running.erase(It);
    Done(U, R);
  }
}

} // namespace cede
