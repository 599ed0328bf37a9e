#include "protocols/can_error.h"

namespace vesta::can {

ErrorReport ReadErrorFrame(const Frame& frame) {
  ErrorReport report;
  report.classes = static_cast<uint16_t>(frame.id & ((1u << kErrorClasses) - 1));
  if ((report.classes & kController) != 0) report.controller = frame.data[1];
  if ((report.classes & kCountersValid) != 0) {
    report.tx_errors = frame.data[6];
    report.rx_errors = frame.data[7];
  }
  return report;
}

const char* ErrorClassName(size_t bit) {
  static constexpr const char* kNames[kErrorClasses] = {"tx_timeout",  "lost_arbitration", "controller", "protocol",
                                                        "transceiver", "no_ack",           "bus_off",    "bus_error",
                                                        "restarted",   "counters"};
  return bit < kErrorClasses ? kNames[bit] : "";
}

const char* ControllerBitName(size_t bit) {
  static constexpr const char* kNames[kControllerBits] = {"rx_overflow", "tx_overflow", "rx_warning", "tx_warning",
                                                          "rx_passive",  "tx_passive",  "active"};
  return bit < kControllerBits ? kNames[bit] : "";
}

void BusHealth::Add(const ErrorReport& report) {
  ++error_frames;
  if ((report.controller & (kRxWarning | kTxWarning)) != 0) ++warnings;
  if ((report.controller & (kRxPassive | kTxPassive)) != 0) ++passives;
  if ((report.controller & (kRxOverflow | kTxOverflow)) != 0) ++overflows;
  if ((report.classes & kBusOff) != 0) ++bus_offs;
  if ((report.classes & kRestarted) != 0) ++restarts;
  if ((report.classes & kNoAcknowledge) != 0) ++no_acknowledges;
}

}  // namespace vesta::can
