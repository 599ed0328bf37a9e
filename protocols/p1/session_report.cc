// What the P1 session counts and could not name, for people.
#include <algorithm>

#include "protocols/p1/session.h"
#include "protocols/p1/text.h"

namespace vesta::p1 {

void P1Session::ReportCounters(CounterSink& sink) const {
  const Counters& c = counters_;
  sink.Count("duplicates", c.duplicates);
  sink.Count("telegrams_without_crc", c.telegrams_without_crc);
  sink.Count("repaired_missing_crc", c.repaired_missing_crc);
  sink.Count("repaired_bit7", c.repaired_bit7);
  sink.Count("repaired_line_ends", c.repaired_line_ends);
  sink.Count("repaired_end_mark", c.repaired_end_mark);
  sink.Count("crc_ignored", c.crc_ignored);
  sink.Count("tag_ignored", c.tag_ignored);
  sink.Count("inner_crc_wrong_but_tag_right", c.inner_crc_wrong_but_tag_right);
  sink.Count("odd_telegrams", c.odd_telegrams);
  sink.Count("units_inferred", c.units_inferred);
  sink.Count("units_mismatched", c.units_mismatched);
  sink.Count("values_unreadable", c.values_unreadable);
  sink.Count("submeter_values_unusable", c.submeter_values_unusable);
  sink.Count("submeter_restamped", c.submeter_restamped);
  sink.Count("stamps_unusable", c.stamps_unusable);
  sink.Count("devices_dropped", c.devices_dropped);
  sink.Count("log_entries_dropped", c.log_entries_dropped);
  sink.Count("unknown_codes_dropped", c.unknown_codes_dropped);
  sink.Count("bytes_outside_telegrams", framer_.bytes_outside());
}

void P1Session::ReportUnknown(UnknownSink& sink) const {
  for (const UnknownCode& unknown : unknown_codes()) sink.Unknown(unknown.code, unknown.value, unknown.count);
}

void P1Session::OnUnknownObject(std::string_view code, std::string_view groups) {
  for (size_t i = 0; i <= unknown_count_; ++i) {
    if (i == kMaxUnknownCodes) {
      ++counters_.unknown_codes_dropped;
      return;
    }
    UnknownCode& entry = unknown_[i];
    if (i == unknown_count_) {
      ++unknown_count_;
      std::copy_n(code.data(), std::min(code.size(), sizeof(entry.code) - 1), entry.code);
    } else if (code != entry.code) {
      continue;
    }
    ++entry.count;
    size_t n = 0;
    for (; n < groups.size() && n + 1 < sizeof(entry.value); ++n) {
      entry.value[n] = IsPrintable(groups[n]) ? groups[n] : ' ';
    }
    entry.value[n] = '\0';
    return;
  }
}

}  // namespace vesta::p1
