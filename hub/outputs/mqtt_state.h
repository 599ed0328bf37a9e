// The newest value of every series on <base>/<device>/state and state_slow, at once; and who is there.
//
// One flat JSON object per device and pace. Values that arrive in one turn of the main thread go out together in the
// same turn: no timer lies between frame and topic, unless `send` asks for it ("latest": the newest per interval;
// "mean": the mean of numbers that are gauges, the newest of everything else). A value that went stale goes out as
// null, at once in every mode. Late, suspect and out-of-range readings never come here: the live view keeps them away.
// Fast values are QoS 0, since the next is on its way; slow values, nulls and availability are QoS 1. States are not
// retained, or an old value would look fresh to a receiver that starts; availability is. When the broker is away or
// slow, newer values replace older ones; each replaced one is counted.
// Slow values come only when they change, so they are sent again from time to time while their device is there: the
// receiver's expiry clock must not run out on them.
// Main thread only.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "formats/mqtt_payload.h"
#include "hub/outputs/mqtt_mean.h"
#include "hub/outputs/mqtt_output.h"

namespace vesta::hub {

// Largest state message; a device has some hundred values at most.
inline constexpr size_t kStateMessageBytes = 64 * 1024;

class MqttState {
 public:
  MqttState(boost::asio::io_context& io, const Clock& clock, const OutputConfig& config, std::string base,
            mqtt::Connection& connection, const Journal& journal, LiveView& live, const Directory& directory,
            std::function<uint64_t()> history_waiting, const MqttOutputTiming& timing);

  void Start();
  // Sends availability and newest states of all devices, or of one, again. 0 = the hub.
  void Refresh();
  void RefreshSoon(DeviceId device);
  // Slow values and the hub's own state, when it is time.
  void Housekeep();
  OutputHealth health() const;

 private:
  static constexpr uint8_t kFastDue = 1;
  static constexpr uint8_t kSlowDue = 2;
  static constexpr uint8_t kAvailabilityDue = 4;

  struct DeviceState {
    uint8_t due = 0;        // to be sent as soon as can be
    uint8_t pending = 0;    // to be sent at the end of the interval
    uint8_t with_null = 0;  // among them a value that went stale: must not get lost
    bool queued = false;
    int64_t slow_sent_us = INT64_MIN;  // monotonic
  };
  struct SeriesState {
    bool waiting = false;
    MqttMean mean;
    std::optional<Decimal> mean_to_send;
  };

  void OnValue(const Series& series, const LiveValue& value);
  void MarkDue(DeviceId device, uint8_t what);
  void EndInterval();
  void ArmInterval();
  void PostFlush();
  void Flush();
  bool FlushDevice(DeviceId device);
  bool SendState(const Device& device, Pace pace);
  bool SendAvailability(const Device& device);
  void SendHub();
  void Settle(const Device& device, Pace pace, bool dropped);
  bool IsWorthSending(const Device& device, Pace pace) const;
  DeviceState& StateOf(DeviceId device);
  SeriesState& StateOfSeries(SeriesId series);

  boost::asio::io_context& io_;
  const Clock& clock_;
  const OutputConfig& config_;
  const std::string base_;
  mqtt::Connection& connection_;
  const Journal& journal_;
  LiveView& live_;
  const Directory& directory_;
  const std::function<uint64_t()> history_waiting_;
  const MqttOutputTiming timing_;
  boost::asio::steady_timer interval_timer_;
  boost::asio::steady_timer refresh_timer_;

  std::vector<DeviceState> devices_;
  std::vector<SeriesState> series_;
  std::deque<DeviceId> queue_;
  std::set<DeviceId> refresh_soon_;
  bool flush_posted_ = false;
  UtcUs started_us_ = 0;
  int64_t hub_sent_us_ = INT64_MIN;
  std::unique_ptr<char[]> buffer_;  // kStateMessageBytes; pages that no message reached cost nothing
  std::vector<MqttStateValue> values_;

  uint64_t accepted_ = 0;
  uint64_t sent_ = 0;
  uint64_t acknowledged_ = 0;
  uint64_t waiting_ = 0;
  int64_t waiting_since_us_ = 0;
  std::map<std::string, uint64_t> dropped_;

  mqtt::Connection::Token connection_token_;
  LiveView::Token live_token_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace vesta::hub
