// Ports that do what a test tells them, and a board that remembers what the functions emit.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "node/function.h"
#include "node/functions/relay.h"
#include "node/one_wire_responder.h"
#include "protocols/link/relay.h"

namespace vesta::node::test {

class TestPorts final : public Radio,
                        public Clock,
                        public Sleep,
                        public Store,
                        public UpdateSlot,
                        public link::RandomSource,
                        public Gpio,
                        public OneWireResponder,
                        public I2c,
                        public Serial,
                        public Can,
                        public BleScan,
                        public Display {
 public:
  Ports ports() {
    return {*this, *this, *this, *this, *this, *this, *this, this, this, this, {this}, this, this, this};
  }

  // Radio, Clock, Sleep, Store, UpdateSlot, RandomSource: what the functions do not touch.
  Address address() const override { return {2}; }
  void Tune(uint8_t) override {}
  bool Send(const Address&, Bytes) override { return true; }
  bool Next(RadioFrame*) override { return false; }
  uint32_t dropped() const override { return 0; }
  int64_t now_us() const override { return 0; }
  std::span<uint8_t> memory() override { return sleep_memory; }
  bool is_kept() const override { return false; }
  bool can_sleep() const override { return true; }
  void SleepUntil(int64_t) override {}
  void Restart() override {}
  size_t Read(StoreRecord, std::span<uint8_t>) override { return 0; }
  bool Write(StoreRecord, std::span<const uint8_t>) override { return true; }
  bool Begin(uint32_t) override { return true; }
  bool Write(uint32_t, std::span<const uint8_t>) override { return true; }
  bool Read(uint32_t, std::span<uint8_t>) override { return true; }
  bool Activate() override { return true; }
  void Confirm() override {}
  size_t ReadActive(uint32_t, std::span<uint8_t>) override { return 0; }
  void Fill(std::span<uint8_t> out) override { std::fill(out.begin(), out.end(), uint8_t{7}); }

  // Gpio.
  bool Configure(int, Mode) override { return true; }
  void Write(int pin, bool level) override { levels[pin] = level && !is_stuck; }
  bool Read(int pin) override { return levels[pin]; }
  bool Watch(int) override { return true; }
  bool NextEdge(int, Edge* out) override { return Pop(&edges, out); }
  uint32_t LostEdges(int) override { return 0; }
  uint32_t EdgesDuringSleep(int) override { return 0; }

  // OneWire.
  std::span<const SensorId> Sensors(int) override { return sensors; }
  void Convert(int) override { ++conversions; }
  bool Read(const SensorId& id, Scratchpad* out) override {
    const auto found = scratchpads.find(id);
    if (found == scratchpads.end()) return false;
    *out = found->second;
    return true;
  }

  // I2c.
  bool Write(uint8_t, std::span<const uint8_t> bytes) override {
    expander = bytes[0];
    return !is_stuck;
  }
  bool Read(uint8_t, std::span<uint8_t> out) override {
    out[0] = expander;
    return true;
  }

  // Serial.
  bool Open(const SerialMode&) override { return true; }
  size_t Read(std::span<uint8_t> out) override {
    const size_t size = std::min(out.size(), line.size());
    std::copy_n(line.begin(), size, out.begin());
    line.erase(0, size);
    return size;
  }
  size_t Write(std::span<const uint8_t> bytes) override {
    written.append(bytes.begin(), bytes.end());
    return bytes.size();
  }

  bool Open(uint32_t, bool) override { return true; }
  bool Next(can::Frame* out) override { return Pop(&frames, out); }
  bool Start() override { return true; }
  bool Next(ble::Advert* out) override { return Pop(&adverts, out); }
  bool Show(const DisplayDots& dots) override {
    shown = dots;
    return true;
  }

  std::vector<uint8_t> sleep_memory = std::vector<uint8_t>(4096);
  std::map<int, bool> levels;
  bool is_stuck = false;
  std::deque<Edge> edges;
  std::vector<SensorId> sensors;
  std::map<SensorId, Scratchpad> scratchpads;
  int conversions = 0;
  uint8_t expander = 0xFF;
  std::string line;
  std::string written;
  std::deque<can::Frame> frames;
  std::deque<ble::Advert> adverts;
  DisplayDots shown = {};

 private:
  template <typename T>
  static bool Pop(std::deque<T>* queue, T* out) {
    if (queue->empty()) return false;
    *out = queue->front();
    queue->pop_front();
    return true;
  }
};

class TestBoard final : public Board {
 public:
  explicit TestBoard(TestPorts& all) : Board(kept_), kept_(all.ports()) {}

  void Emit(const link::Item& item) override {
    items[item.index] = item;
    ++emitted[item.index];
  }
  bool EmitFrame(uint8_t, Bytes frame, int64_t at_us, uint8_t frame_flags) override {
    if (is_full) return false;
    frames.emplace_back(frame.begin(), frame.end());
    times.push_back(at_us);
    flags.push_back(frame_flags);
    return true;
  }
  void Changed() override { ++changes; }
  bool MayKeep() const override { return true; }
  RelayFunction* FindRelay(std::string_view) override { return relay; }

  // Runs the function whenever its time has come.
  void Run(Function& f, int64_t until_us) {
    while (now_us < until_us) {
      now_us += 10000;
      if (f.next_us() <= now_us) f.Run(*this);
    }
  }

  std::map<uint8_t, link::Item> items;
  std::map<uint8_t, int> emitted;
  std::vector<std::string> frames;
  std::vector<int64_t> times;
  std::vector<uint8_t> flags;
  bool is_full = false;
  int changes = 0;
  RelayFunction* relay = nullptr;

 private:
  const Ports kept_;
};

}  // namespace vesta::node::test
