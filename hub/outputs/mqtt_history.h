// Every reading, at least once, with its original time, on <base>/history/<device>.
//
// Reads the journal by position in slices and never beyond the durable mark. Readings of one device that came in one
// frame go in one message, QoS 1, not retained. The position moves to the end of the acknowledged messages that have no
// gap before them; after a broken link, a refusal or a crash it goes on from there, so a receiver may see a reading
// twice (same journal number), but never miss one. At most `in_flight` messages wait for their acknowledgement.
// A message that the broker can never take (too large, invalid) is counted as dropped and passed; one that it refuses
// for now (no permission, quota) is tried again.
// Main thread only.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "hub/outputs/mqtt_output.h"

namespace vesta::hub {

// Readings fetched from the journal at a time.
inline constexpr size_t kHistorySlice = 1000;
// Readings in one message, and its bytes: below what brokers commonly take.
inline constexpr size_t kHistoryReadingsPerMessage = 200;
inline constexpr size_t kHistoryMessageBytes = 128 * 1024;
// Readings counted at a time when an output starts behind the journal.
inline constexpr size_t kCountSlice = 10000;

class MqttHistory {
 public:
  MqttHistory(boost::asio::io_context& io, const Clock& clock, const OutputConfig& config, std::string base,
              mqtt::Connection& connection, Journal& journal, const Directory& directory,
              const MqttOutputTiming& timing);

  void Start();
  // Calls done as soon as everything durable is acknowledged, or the link is down, or the time is over.
  void Drain(int64_t at_most_us, std::function<void()> done);
  OutputHealth health() const;

 private:
  struct InFlight {
    JournalNumber last = 0;
    size_t readings = 0;
    DeviceId device = 0;  // 0: not known
    UtcUs received_us = 0;
    bool settled = false;  // acknowledged, or dropped for this reason:
    const char* drop_reason = nullptr;
  };

  void Pump();
  bool SendNext();
  DeviceId DeviceOf(size_t place) const;
  size_t Gather(size_t most) const;
  bool Write(size_t count);
  void Drop(size_t count, const char* reason);
  void OnResult(uint64_t run, uint64_t sequence, const mqtt::PublishResult& result);
  void MovePosition();
  void GoBack();
  void HoldOff(std::string error);
  void Read();
  void Count();
  void OnDurable(JournalNumber mark);
  bool CaughtUp() const;
  void FinishDrain();
  uint64_t InFlightReadings() const;

  const Clock& clock_;
  const OutputConfig& config_;
  const std::string base_;
  const std::string position_name_;
  mqtt::Connection& connection_;
  Journal& journal_;
  const Directory& directory_;
  const MqttOutputTiming timing_;
  boost::asio::steady_timer retry_timer_;
  boost::asio::steady_timer drain_timer_;

  JournalNumber acknowledged_ = 0;  // the position: everything up to here is done with
  JournalNumber cursor_ = 0;        // read up to here
  RecordBatch batch_;
  size_t next_ = 0;  // of batch_, first not yet published
  bool reading_ = false;
  bool holding_off_ = false;
  uint64_t run_ = 0;  // grows with each GoBack: what was asked before is of no interest any more
  std::deque<InFlight> in_flight_;
  uint64_t first_sequence_ = 0;     // of in_flight_.front()
  std::unique_ptr<char[]> buffer_;  // kHistoryMessageBytes; pages that no message reached cost nothing
  size_t written_ = 0;

  // How many readings there are to send in all: counted, since journal numbers have gaps between two runs of the hub.
  JournalNumber counted_ = 0;
  JournalNumber mark_at_start_ = 0;
  bool counting_ = false;
  bool numbers_count_ = false;  // from here on numbers follow one another
  uint64_t accepted_ = 0;
  // By device id: readings there were to send when this run began, and those done with since.
  struct DeviceTally {
    uint64_t backlog = 0;
    uint64_t acknowledged = 0;
    uint64_t dropped = 0;
  };
  DeviceTally& TallyOf(DeviceId device);
  std::vector<DeviceTally> tallies_;
  uint64_t acknowledged_readings_ = 0;
  uint64_t dropped_readings_ = 0;
  std::map<std::string, uint64_t> dropped_;
  uint64_t refusals_ = 0;  // by the broker or the store; tried again
  std::string error_;

  std::function<void()> drained_;
  Journal::Token durable_token_;
  mqtt::Connection::Token connection_token_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace vesta::hub
