// Victron devices heard over Bluetooth as a session: one advert in (protocols/ble_advert.h), devices and readings out.
//
// Instant Readout records and VE.Smart messages come from the same radio address and so are one device, whose identity
// is the address ("c0ffee112233"); both use the protocol name "victron". An advert heard by several scanners is one
// reading: the first copy makes it, later copies are accepted frames with link.is_repeat and no readings. Readings bear
// the time of arrival, since adverts have no clock. Adverts of other makers are counted and cost nothing more. What
// cannot be decoded is a rejected frame with the reason:
//
//   no_key               no Instant Readout key for this address
//   key_mismatch         the record was made with another key: a wrong one, or stale since the PIN was changed
//   short                a header that is cut
//   unknown_type         opened, but the layout of this record type is not published
//   instant_readout_off  the device is there but sends no data: it has to be switched on in the maker's app
//   too_many_devices     kMaxDevices are taken
//   malformed, foreign_group, auth_failed, no_overflow_yet, no_room   VE.Smart, see vesmart/receiver.h
//
// All memory is taken by the constructor; only a new key may cost an allocation inside the cipher library. Facts:
// references of the Victron formats and of VE.Smart.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "model/session.h"
#include "protocols/ble_advert.h"
#include "protocols/crypto.h"
#include "protocols/vesmart/receiver.h"
#include "protocols/victron/keys.h"
#include "protocols/victron/pv_sum.h"
#include "protocols/victron/writer.h"

namespace vesta::victron {

inline constexpr uint16_t kVictronCompany = 0x02E1;
// Devices with a key in the life of a process; beyond them adverts are rejected and counted. Their number also is the
// slot, and the slot behind them is the solar chargers taken together.
inline constexpr size_t kMaxDevices = 64;
inline constexpr uint16_t kPvSumSlot = kMaxDevices;
// Of these, devices that are believed without a key (SolarSense): anyone may send such adverts.
inline constexpr size_t kMaxPlainDevices = 8;
inline constexpr size_t kMaxNameSize = 32;  // of a device, as the user named it; longer ones are cut

// A nonce behind the newest by so many is an older packet that came by a slower scanner.
inline constexpr uint16_t kOldNonceWindow = 60;
// After such a silence the device may have started anew anywhere: then no nonce is old.
inline constexpr int64_t kNonceMemory_us = 120 * kUsPerSecond;
inline constexpr int64_t kRssiInterval_us = 60 * kUsPerSecond;
// Sums over chargers and shares are told so often: each charger tells its own power every second anyway.
inline constexpr int64_t kSumInterval_us = 5 * kUsPerSecond;

struct BleCounters {
  uint64_t adverts = 0;
  uint64_t not_an_advert = 0;   // datagrams in another form
  uint64_t foreign = 0;         // adverts of other makers
  uint64_t unknown_format = 0;  // of this maker, neither Instant Readout nor VE.Smart
  // Instant Readout.
  uint64_t records = 0;
  uint64_t repeats = 0;
  uint64_t old = 0;
  uint64_t no_key = 0;
  uint64_t key_mismatch = 0;
  uint64_t short_records = 0;
  uint64_t unknown_type = 0;
  uint64_t instant_readout_off = 0;
  // VE.Smart, by outcome.
  std::array<uint64_t, static_cast<size_t>(vesmart::Outcome::kCountOfOutcomes)> messages{};
  uint64_t truncated_messages = 0;
  uint64_t wrong_lengths = 0;  // known registers with a value of another length
  uint64_t unknown_registers = 0;
  // Bounds that were hit.
  uint64_t devices_refused = 0;
};

class BleSession final : public vesta::Session {
 public:
  // The ring must outlive the session; changes to it take effect with the next advert.
  explicit BleSession(const KeyRing* keys);
  ~BleSession() override;

  std::span<const Field> fields() const override { return Fields(); }
  void Receive(Bytes datagram, const Now& now, SessionEvents& events) override;
  void Tick(const Now&, SessionEvents&) override {}
  uint64_t unknown_objects() const override { return counters_.unknown_registers; }
  void ReportCounters(CounterSink& sink) const override;
  void LinkReset(const Now&, SessionEvents&) override {}

  const BleCounters& counters() const { return counters_; }

 private:
  struct Slot;
  struct Call;  // what a single advert is about

  void TakeRecord(Bytes record, Call& call);
  void TakeMessage(Bytes data, Call& call);
  void PutMessage(const vesmart::Message& message, Call& call);
  void PutMaster(Slot* slot);
  void Accept(Slot* slot, Call& call, bool encrypted);
  void Reject(Call& call, const char* reason, uint64_t* counter, bool encrypted);
  void AcceptRepeat(Call& call, uint64_t* counter, bool encrypted);
  void AddRssi(Slot* slot, Call& call);
  void AddName(Slot* slot, Call& call);
  void AddSolar(Slot* slot, Call& call);
  void TellSums(Call& call);

  Slot* FindSlot(uint64_t address);
  Slot* MakeSlot(uint64_t address);
  uint16_t NumberOf(const Slot* slot) const;
  bool TakeKey(Slot* slot, const Key& key);
  void Describe(Slot* slot, uint16_t product, DeviceKind record_kind, Call& call);

  const KeyRing* keys_;
  vesmart::Receiver receiver_;
  std::unique_ptr<Slot[]> slots_;
  size_t slot_count_ = 0;
  size_t plain_count_ = 0;
  // Open addressing, so that a known device costs one look: slot number + 1, 0 = free.
  static constexpr size_t kIndexSize = 4 * kMaxDevices;
  std::array<uint8_t, kIndexSize> index_{};
  ReadingWriter writer_;
  PvSum pv_;
  FieldMemory pv_memory_;
  bool pv_announced_ = false;
  int64_t pv_told_us_ = INT64_MIN / 2;
  uint64_t bytes_ = 0;
  BleCounters counters_;
};

}  // namespace vesta::victron
