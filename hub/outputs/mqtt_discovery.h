// Tells Home Assistant which devices and entities there are, and takes back what is gone.
//
// Retained messages, sent after each connect (the broker may have forgotten them), when a device or series is new, when
// a value turns out to come at another interval than announced, and after Home Assistant's birth message. On the first
// connect it first looks at what an earlier run left: what was announced in the other form is migrated, what belongs to
// a device that is not heard any more is cleared after a while, everything when discovery is switched off. Only
// messages of our own are touched: origin "Vesta", and this hub as the device or the one it is reached through.
// Main thread only.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "formats/home_assistant.h"
#include "hub/outputs/mqtt_output.h"

namespace vesta::hub {

// Retained messages of an earlier run that are remembered; more than kMaxDevices devices never have.
inline constexpr size_t kMaxLeftovers = 16384;

class MqttDiscovery {
 public:
  // announced: a device was (0 = the hub); its states should follow when the receiver had time to subscribe.
  MqttDiscovery(boost::asio::io_context& io, const OutputConfig& config, const HubIdentity& identity, std::string base,
                mqtt::Connection& connection, LiveView& live, const Directory& directory, FieldNameOf field_name,
                DeviceTitleOf device_title, std::function<void(DeviceId)> announced, const MqttOutputTiming& timing,
                const NodeDesk* nodes = nullptr);

  void Start();
  // Looks for values that come at another interval than announced.
  void CheckIntervals();

  // Seconds after which a receiver may take a value for dead: the hub's own limit and three send intervals, in coarse
  // steps.
  static uint32_t ExpireAfter(int64_t stale_after_us, const OutputConfig& config);

 private:
  // A retained message that an earlier run left behind.
  struct Leftover {
    std::string topic;
    std::string device_key;  // "" = the hub
  };

  home_assistant::Hub HubOf() const;
  void OnUp();
  void ArmSweep(int64_t wait_us);
  void OnLeftover(const mqtt::IncomingMessage& message);
  void FinishSweep();
  void FinishMigration();
  void ClearGone();
  void OnBirth(const mqtt::IncomingMessage& message);
  void Mark(DeviceId device);
  void MarkAll();
  void PostPump();
  void Pump();
  bool Announce(DeviceId device);
  bool AnnounceEntities(const home_assistant::Hub& hub, const home_assistant::Device& device,
                        const std::vector<home_assistant::Entity>& entities);
  void MakeWritable(const Device& device, home_assistant::Entity* entity) const;
  bool IsExpected(const std::string& topic, const std::string& device_key) const;
  mqtt::PublishStatus Publish(const Topic& topic, std::string_view payload, bool retain);
  bool Clear(std::deque<Leftover>& topics);
  bool device_form() const { return config_.discovery_form == "device"; }

  boost::asio::io_context& io_;
  const OutputConfig& config_;
  const HubIdentity identity_;
  const std::string base_;
  mqtt::Connection& connection_;
  LiveView& live_;
  const Directory& directory_;
  const FieldNameOf field_name_;
  const DeviceTitleOf device_title_;
  const std::function<void(DeviceId)> announced_;
  const MqttOutputTiming timing_;
  const NodeDesk* const nodes_;  // nullptr: nothing may be set from here
  boost::asio::steady_timer sweep_timer_;
  boost::asio::steady_timer migrate_timer_;
  boost::asio::steady_timer gone_timer_;
  boost::asio::steady_timer birth_timer_;
  std::minstd_rand random_;

  bool swept_ = false;
  bool birth_waits_ = false;
  bool pump_posted_ = false;
  bool clear_waits_ = false;  // a topic of to_clear_ found no room

  std::deque<DeviceId> to_announce_;
  size_t next_entity_ = 0;                  // of to_announce_.front(), in entity form
  std::vector<bool> queued_;                // by device
  std::vector<uint32_t> announced_expiry_;  // by series, 0 = not announced
  std::vector<char> buffer_;                // while something is being announced

  std::vector<Leftover> other_form_;
  std::vector<Leftover> gone_;
  std::deque<Leftover> to_clear_;

  mqtt::Connection::Token connection_token_;
  mqtt::Connection::Token sweep_token_;
  mqtt::Connection::Token birth_token_;
  LiveView::Token live_token_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

// The hub's own entities, as announced and as published on <base>/hub/state.
std::vector<home_assistant::Entity> HubEntities();
inline constexpr int64_t kHubStateEvery_us = 30 * kUsPerSecond;

}  // namespace vesta::hub
