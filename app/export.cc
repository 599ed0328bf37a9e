#include "app/export.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "app/audit_note.h"
#include "app/exit_code.h"
#include "hub/export/exporter.h"
#include "hub/export/neonat.h"
#include "hub/export/open_data.h"
#include "model/calendar.h"

namespace vesta::app {
namespace {

int Fail(const std::string& why, int code) {
  fmt::print(stderr, "vesta export: {}\n", why);
  return code;
}

// A file that appears under its name only when it is whole.
class OutputFile {
 public:
  explicit OutputFile(std::string path) : path_(std::move(path)), part_(path_ + ".part") {
    file_ = path_ == "-" ? stdout : std::fopen(part_.c_str(), "wx");
  }
  ~OutputFile() {
    if (file_ == nullptr || file_ == stdout) return;
    std::fclose(file_);
    unlink(part_.c_str());
  }
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  bool open() const { return file_ != nullptr; }
  const std::string& part() const { return part_; }
  bool Write(const std::string& text) { return std::fwrite(text.data(), 1, text.size(), file_) == text.size(); }
  bool Finish() {
    if (std::fflush(file_) != 0) return false;
    if (file_ == stdout) return true;
    const bool kept = fsync(fileno(file_)) == 0 && std::rename(part_.c_str(), path_.c_str()) == 0;
    std::fclose(file_);
    file_ = nullptr;
    return kept;
  }

 private:
  std::string path_;
  std::string part_;
  std::FILE* file_;
};

bool ReadSpan(const ExportOptions& options, hub::ExportRequest* request) {
  if (!options.from.empty() && !ParseIso8601(options.from, &request->from_us)) return false;
  return options.to.empty() || ParseIso8601(options.to, &request->to_us);
}

std::string Joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) (all += all.empty() ? "" : " ") += text;
  return all;
}

// Before the first reading leaves.
tl::expected<void, std::string> Note(const ExportOptions& options) {
  hub::AuditDetails details = {
      {"format", options.format}, {"pseudonymous", options.key_file.empty() ? "no" : "yes"}, {"to_file", options.out}};
  if (!options.from.empty()) details.emplace_back("from", options.from);
  if (!options.to.empty()) details.emplace_back("to", options.to);
  if (!options.devices.empty()) details.emplace_back("devices", Joined(options.devices));
  if (!options.fields.empty()) details.emplace_back("fields", Joined(options.fields));
  return NoteInAudit(options.directory, "export", std::move(details));
}

}  // namespace

int RunExport(const ExportOptions& options) {
  hub::ExportRequest request;
  request.devices = options.devices;
  request.fields = options.fields;
  if (!ReadSpan(options, &request)) {
    return Fail("--from and --to are times such as 2026-08-11T06:21:25Z", kExitWrongUsage);
  }
  if (!options.key_file.empty()) {
    auto key = hub::ReadExportKey(options.key_file);
    if (!key) return Fail(key.error(), kExitCannotStart);
    request.privacy.emplace(std::move(*key));
  }
  if (options.format == "neonat") {
    if (options.out == "-") return Fail("the table is a SQLite file: give --out FILE", kExitWrongUsage);
    const auto there = hub::OpenDataFolder(options.directory);
    if (!there) return Fail(there.error(), kExitCannotStart);
    if (const auto noted = Note(options); !noted) return Fail(noted.error(), kExitCannotStart);
    const auto rows = hub::ExportNeonat(options.directory, std::move(request), options.out, options.stamp_offset_min);
    if (!rows) return Fail(rows.error(), kExitProblems);
    fmt::print(stderr, "{} rows written to {}\n", *rows, options.out);
    return kExitOk;
  }
  request.format = *hub::FindExportFormat(options.format);
  auto data = hub::OpenDataFolder(options.directory);
  if (!data) return Fail(data.error(), kExitCannotStart);
  auto plan = hub::PlanExport(std::move(request), data->devices, data->series);
  if (!plan) return Fail(plan.error(), kExitWrongUsage);
  OutputFile out(options.out);
  if (!out.open()) return Fail(fmt::format("{}: {}", out.part(), std::strerror(errno)), kExitCannotStart);
  if (const auto noted = Note(options); !noted) return Fail(noted.error(), kExitCannotStart);
  const auto exporter = hub::MakeExporter(std::move(*plan));
  std::string piece;
  for (bool more = true; more;) {
    piece.clear();
    const auto next = exporter->Next(*data->reader, &piece);
    if (!next) return Fail(next.error().text, kExitProblems);
    more = *next;
    if (!out.Write(piece)) return Fail(std::strerror(errno), kExitProblems);
  }
  if (!out.Finish()) return Fail(std::strerror(errno), kExitProblems);
  fmt::print(stderr, "{} readings written\n", exporter->readings());
  return kExitOk;
}

}  // namespace vesta::app
