// A MasterBus as a session: one CAN frame a call (the form of protocols/can_frame.h), devices and readings out.
//
// Listens only, unless `read` is on: then it asks, and nothing but questions (request.h). Values that pass by become
// readings of the device that sent them, whoever asked; writes by others are told apart and never become readings. A
// device is told by its address, 23 bits as six hex digits. Each announce that says something new, and one in
// kTellCounterEvery_us, is a reading too, so that a device without values is seen. All memory is taken by the
// constructor, but for Save(). Facts: the reference of MasterBus.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "model/session.h"
#include "protocols/can_error.h"
#include "protocols/masterbus/binding.h"
#include "protocols/masterbus/bus_view.h"
#include "protocols/masterbus/fields.h"
#include "protocols/masterbus/model.h"
#include "protocols/masterbus/reader.h"
#include "protocols/masterbus/traffic.h"

namespace vesta::masterbus {

struct Options {
  Limits limits;
  bool read = false;  // ask for what nobody asks for
  ReadingPace pace;
};

// An answer comes within 13 ms nearly always; a question without one is given up after this.
inline constexpr int64_t kAnswerWithin_us = 250 * kUsPerMs;
inline constexpr int64_t kTellCounterEvery_us = 60 * kUsPerSecond;

struct Counters {
  uint64_t readings = 0;
  uint64_t values_not_available = 0;
  uint64_t values_unnamed = 0;       // of items whose label is not known
  uint64_t values_of_tentative = 0;  // the first value of a device that has yet to prove itself
  uint64_t values_without_item = 0;  // no room for the item
  uint64_t values_without_field = 0;
  uint64_t values_unasked = 0;     // of items that are asked for: a device that pushes, or two with one address
  uint64_t foreign_announces = 0;  // bytes that name another device than the identifier
};

class MasterBusSession final : public vesta::Session {
 public:
  explicit MasterBusSession(const Options& options);

  std::span<const vesta::Field> fields() const override { return table_.fields(); }
  void Receive(Bytes bytes, const Now& now, SessionEvents& events) override;
  void Tick(const Now& now, SessionEvents& events) override;
  // A question that has yet to go out is the transport's: on a road that is closed nothing is due.
  int64_t next_deadline_us() const override {
    return options_.read && outgoing_size_ == 0 ? reader_.next_deadline_us() : kNoDeadline;
  }
  // One datagram at a time.
  Bytes Transmit() override { return {outgoing_.data(), outgoing_size_}; }
  void Transmitted(size_t count) override {
    if (count > 0) outgoing_size_ = 0;
  }
  uint64_t unknown_objects() const override { return counters_.values_unnamed; }
  void ReportCounters(CounterSink& sink) const override;
  void LinkReset(const Now& now, SessionEvents& events) override;

  bool reads() const { return options_.read; }
  BusView view() const { return BusView(model_, traffic_, bus_health_); }
  const Counters& counters() const { return counters_; }
  const ReaderCounters& reader_counters() const { return reader_.counters(); }
  // The device model, to be kept over a restart: Model::Save() and Load().
  std::vector<uint8_t> SaveModel() const { return model_.Save(); }
  bool LoadModel(std::span<const uint8_t> bytes) { return model_.Load(bytes); }

 private:
  void Dispatch(const can::Frame& can, const Frame& frame);
  void FromDevice(const Frame& frame);
  void TakeAnnounce(uint16_t at, const Frame& frame);
  void TakeValue(uint16_t at, const Frame& frame);
  void ToDevice(const Frame& frame);
  bool Tell(uint16_t at);
  Value ReadValue(const Item& item, const Frame& frame, const vesta::Field& field);
  void Add(uint16_t device, uint16_t field, Value value);

  const Options options_;
  Model model_;
  Traffic traffic_;
  can::BusHealth bus_health_;
  FieldTable table_;
  Reader reader_;
  Counters counters_;
  uint16_t slots_ = 0;
  std::array<uint8_t, can::kMaxFrameSize> outgoing_{};
  size_t outgoing_size_ = 0;

  // Of the call that is under way.
  const Now* now_ = nullptr;
  SessionEvents* events_ = nullptr;
  std::array<Reading, 2> readings_;
  size_t reading_count_ = 0;
  std::array<char, kMaxUtf8> text_{};
};

}  // namespace vesta::masterbus
