// A simulated Victron device on a VE.Direct port: text blocks each second, answers to HEX gets, and the unasked frames
// that it sends for two minutes after the last question.
//
// It writes its own bytes, apart from the decoder under protocols/vedirect. Blocks, checks and the habits of the
// firmware: reference of Victron, sections 10 and 11.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "simulators/dc_system.h"

namespace vesta::simulators {

enum class VedirectKind : uint8_t {
  kSolar = 0,       // small charger with a load output: one block
  kSolarLarge,      // larger charger, new firmware: its fields over two blocks in turn
  kBatteryMonitor,  // live block and history block in turn, no serial number in the text
  kInverter,        // Phoenix
  kCountOfKinds,
};

struct VedirectKindInfo {
  VedirectKind kind;
  const char* name;  // "solar"
  const char* description;
  uint16_t product;
  const char* model;
  const char* firmware;  // as the label has it
  bool extended_firmware;
  bool serial_in_text;
};
const VedirectKindInfo& InfoOf(VedirectKind kind);
const VedirectKindInfo* FindVedirectKind(std::string_view name);  // nullptr: there is none

struct VedirectDeviceOptions {
  VedirectKind kind = VedirectKind::kSolar;
  uint64_t seed = 1;
  UtcUs start_us = 0;
};

class VedirectDevice {
 public:
  explicit VedirectDevice(const VedirectDeviceOptions& options);

  void Advance(UtcUs us);
  // The text block that is due now.
  std::string NextBlock();
  // The unasked HEX frame that is due now; "" when nobody has asked anything for two minutes.
  std::string NextUnasked();
  // What it says to these bytes; half a frame waits for its rest.
  std::string Answer(std::string_view bytes);
  // Another one of its kind: new serial number.
  void Swap();

  const std::string& serial() const { return serial_; }
  const VedirectKindInfo& info() const { return info_; }
  const DcSystem& system() const { return system_; }

 private:
  std::string AnswerFrame(std::string_view frame);
  bool RegisterValue(uint16_t reg, std::string* value) const;
  void PutHead(std::string* block) const;
  std::string Solar(bool all, bool second) const;
  std::string BatteryMonitor(bool history) const;
  std::string Inverter() const;
  std::string HistoryDay(const DcSystem::Day& day, int32_t number) const;

  VedirectDeviceOptions options_;
  const VedirectKindInfo& info_;
  DcSystem system_;
  UtcUs now_us_;
  UtcUs asked_us_ = 0;
  uint64_t blocks_ = 0;
  uint64_t unasked_ = 0;
  uint64_t swaps_ = 0;
  std::string serial_;
  std::string received_;
};

}  // namespace vesta::simulators
