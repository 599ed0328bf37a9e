// A site's own MEDIBUS code rows: a CSV file with the columns of docs/protocols/medibus-codes.csv.
//
// kind,codepage,code,name,unit,format,device_ids,family,evidence; lines that begin with # and the header are skipped. A
// line that can't be used is told with its number and left out; the rest counts. A field made from a row has the key
// "site_" and its name in small letters. The version is the file's name and the hash of its rows is computed by the
// decoder, so that each reading's table can be told.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/medibus/codes.h"

namespace vesta::hub {

inline constexpr size_t kMaxTableFileBytes = 256 * 1024;
inline constexpr size_t kMaxTableProblems = 20;  // told; the rest is counted by the last one

class MedibusTable {
 public:
  // Never fails as a whole: what is wrong stands in problems(), "FILE:LINE: ...".
  static MedibusTable Read(const std::string& path);
  static MedibusTable Parse(std::string_view text, const std::string& path);

  // Valid while this lives; it may be moved.
  medibus::SiteCodes codes() const { return {version_, rows_}; }
  const std::vector<std::string>& problems() const { return problems_; }

 private:
  std::string_view Keep(std::string text) { return texts_.emplace_back(std::move(text)); }
  std::string TakeLine(std::string_view line);  // "" or what is wrong
  std::string KeyOf(const medibus::CodeRow& row, std::string_view name) const;

  std::string version_;
  std::deque<std::string> texts_;  // names and keys stay where they are
  std::vector<medibus::CodeRow> rows_;
  std::vector<std::string> problems_;
};

}  // namespace vesta::hub
